// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Recorded are the frames that a Java 5.3.3 client and its servers exchanged, in JSON.
const Recorded = "codec/testdata/java-5.3.3-json"

// Golden reads header and body of a recorded frame, such as "SEND_MESSAGE_V2.request". root is the root of the
// repository.
func Golden(root, name string) (header, body []byte, err error) {
	file := filepath.Join(root, filepath.FromSlash(Recorded), name+".txt")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	parts := map[string][]byte{}
	part := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		kind, size, titled := strings.Cut(line, " ")
		switch {
		case kind == "#":
		case titled:
			var n int
			if _, err := fmt.Sscan(size, &n); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", file, err)
			}
			part = kind
			parts[part] = make([]byte, 0, n)
		default:
			b, err := hex.DecodeString(line)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", file, err)
			}
			parts[part] = append(parts[part], b...)
		}
	}
	if len(parts["header"]) == 0 {
		return nil, nil, fmt.Errorf("%s has no header", file)
	}
	return parts["header"], parts["body"], nil
}
