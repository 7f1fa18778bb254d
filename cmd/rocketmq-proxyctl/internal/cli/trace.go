// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/trace"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func newTrace() *cobra.Command {
	var printer trace.Printer
	var ports []uint
	var codes []string
	command := &cobra.Command{
		Use:   "trace [FILE]",
		Short: "Print remoting traffic, from a capture or from the bytes of a connection",
		Long: `Print remoting traffic, from a capture or from the bytes of a connection.

FILE, or the standard input, is a capture (pcap or pcapng, as tcpdump and Wireshark write them) or the very bytes of a
connection. Of a capture every TCP connection with frames is shown, also if its begin is missing; times are UTC. What is
encrypted cannot be shown. Values of signatures and passwords are left out; messages are shown with --bodies only.

Exit status: 0 if all of it could be read, 1 if not.`,
		Example: `  tcpdump -i any -U -w - port 10911 | rocketmq-proxyctl trace
  rocketmq-proxyctl trace --brief --code PULL_MESSAGE traffic.pcapng`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, names []string) error {
			wanted, err := requestCodes(codes)
			if err != nil {
				return err
			}
			printer.Codes = wanted
			source := command.InOrStdin()
			if len(names) == 1 && names[0] != "-" {
				file, err := os.Open(names[0])
				if err != nil {
					return err
				}
				defer file.Close() //nolint:errcheck // read only
				source = file
			}
			return runTrace(command, source, &printer, ports)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&printer.Brief, "brief", "b", false, "a line for each frame, without fields and bodies")
	flags.BoolVar(&printer.Full, "full", false, "show long values whole")
	flags.BoolVar(&printer.Bodies, "bodies", false, "show the beginning of messages and other bodies")
	flags.UintSliceVarP(&ports, "port", "p", nil, "only connections of these ports")
	flags.StringSliceVar(&codes, "code", nil, "only these requests and their answers: names or numbers")
	_ = command.RegisterFlagCompletionFunc("code", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, t := range requests.Table {
			names = append(names, t.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return command
}

func runTrace(command *cobra.Command, source io.Reader, printer *trace.Printer, ports []uint) error {
	out := command.OutOrStdout()
	printer.Paint = painter(out)
	buffered := bufio.NewWriterSize(out, 64<<10)
	printer.To = buffered
	// What has been read is shown before more is waited for.
	input := bufio.NewReaderSize(flushing{source, buffered}, 64<<10)
	first, err := input.Peek(4)
	if err != nil && len(first) == 0 {
		if errors.Is(err, io.EOF) {
			return badError{"no bytes came; give a FILE, or pipe tcpdump -U -w -"}
		}
		return err
	}
	var result trace.Result
	if isCapture := trace.IsCapture(first); isCapture {
		wanted := make(map[uint16]bool, len(ports))
		for _, port := range ports {
			if port > 65535 {
				return fmt.Errorf("%d is no port", port)
			}
			wanted[uint16(port)] = true
		}
		result, err = trace.Capture(input, printer, wanted)
		defer summarize(command.ErrOrStderr(), &result)
	} else {
		result, err = trace.Stream(input, printer)
	}
	if flushed := buffered.Flush(); flushed != nil {
		return flushed
	}
	if err != nil {
		return badError{err.Error()}
	}
	return nil
}

func summarize(w io.Writer, r *trace.Result) {
	_, _ = fmt.Fprintf(w, "frames shown: %d, connections with frames: %d, without: %d (TLS: %d), begin: %s\n",
		r.Shown, r.Connections, r.Silent, r.TLS, r.First.UTC().Format("2006-01-02 15:04:05 MST"))
	if r.Skipped+r.Lost > 0 {
		_, _ = fmt.Fprintf(w, "bytes that were no frames: %d, that are not in the capture: %d\n", r.Skipped, r.Lost)
	}
}

// flushing writes out what is buffered before each read, which may take long.
type flushing struct {
	io.Reader
	buffered *bufio.Writer
}

func (f flushing) Read(b []byte) (int, error) {
	if err := f.buffered.Flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(b)
}

// requestCodes reads names and numbers of request codes.
func requestCodes(names []string) (map[requests.Code]bool, error) {
	wanted := make(map[requests.Code]bool, len(names))
	for _, name := range names {
		if number, err := strconv.ParseInt(name, 10, 32); err == nil {
			wanted[requests.Code(number)] = true
		} else if code, ok := requests.CodeNamed(strings.ToUpper(name)); ok {
			wanted[code] = true
		} else {
			return nil, fmt.Errorf("%q is no request code", name)
		}
	}
	return wanted, nil
}
