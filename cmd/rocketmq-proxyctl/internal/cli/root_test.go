// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestCompletionForEachShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		status, out, errs := run(t, nil, "completion", shell)
		if status != 0 || !strings.Contains(out, "rocketmq-proxyctl") {
			t.Errorf("%s: status %d: %s", shell, status, errs)
		}
	}
	status, out, _ := run(t, nil, "completion", "bash")
	if _, err := exec.LookPath("bash"); err != nil || status != 0 {
		return
	}
	command := exec.CommandContext(t.Context(), "bash", "-n")
	command.Stdin = strings.NewReader(out)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("bash: %v\n%s", err, output)
	}
	if _, out, _ := run(t, nil, "__complete", "trace", "--code", "SEND_M"); !strings.Contains(out, "SEND_MESSAGE_V2") {
		t.Errorf("request codes are not completed: %s", out)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
		text string
	}{
		{[]string{"--help"}, 0, "check       Check the filter's options"},
		{[]string{"check"}, 2, "check wants a FILE, or - for the standard input; see rocketmq-proxyctl check --help"},
		{[]string{"completion"}, 0, "powershell"},
		{[]string{"completion", "nosuch"}, 2, `completion has no "nosuch"; want bash, zsh, fish or powershell`},
		{[]string{"nonsense"}, 2, `unknown command "nonsense"`},
		{[]string{"trace", "--port", "70000"}, 1, "no bytes came"},
	} {
		status, out, errs := run(t, nil, test.args...)
		if status != test.want || !strings.Contains(out+errs, test.text) {
			t.Errorf("%q: status %d: %s%s", test.args, status, out, errs)
		}
	}
}

func TestNoColoursButOnATerminal(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if text := painter(write)("red", "x"); text != "x" {
		t.Errorf("%q", text)
	}
}
