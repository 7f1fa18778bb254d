// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the expected outputs in testdata anew")

// run carries a command out.
func run(t *testing.T, in []byte, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = Run(t.Context(), args, bytes.NewReader(in), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// expect compares an output with testdata/<name>.txt.
func expect(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\ngot\n%s\nwant\n%s", file, got, want)
	}
}

// transcript is what a person sees of a command.
func transcript(status int, out, errs string) string {
	var b strings.Builder
	b.WriteString(out)
	if errs != "" {
		b.WriteString("-- standard error\n" + errs)
	}
	b.WriteString("-- exit status " + string(rune('0'+status)) + "\n")
	return b.String()
}
