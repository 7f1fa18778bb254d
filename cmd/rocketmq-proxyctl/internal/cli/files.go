// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/envoyfile"
)

// maxFile bounds the files that are read whole.
const maxFile = 64 << 20

// readConfig reads an Envoy file; "-" is the standard input.
func readConfig(command *cobra.Command, name string) (*envoyfile.File, error) {
	text, err := readFile(command, name)
	if err != nil {
		return nil, err
	}
	file, err := envoyfile.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return file, nil
}

func readFile(command *cobra.Command, name string) ([]byte, error) {
	source := command.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close() //nolint:errcheck // read only
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a directory; name its files, as %s", name, filepath.Join(name, "*.yaml"))
		}
		source = file
	}
	text, err := io.ReadAll(io.LimitReader(source, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	return text, err
}

// printFindings prints what is wrong with a file, a line each.
func printFindings(w io.Writer, name string, file *envoyfile.File) {
	paint := painter(w)
	for _, each := range file.Findings {
		kind := paint("red", "error:")
		if each.Warning {
			kind = paint("yellow", "warning:")
		}
		path := each.Path
		if path == "" {
			path = "the config"
		}
		_, _ = fmt.Fprintf(w, "%s:%d: %s %s %s\n", name, each.Line, kind, path, each.Problem)
	}
}
