// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
)

// Exit statuses.
const (
	statusGood  = 0
	statusBad   = 1 // what was looked at is not in order
	statusUsage = 2 // it could not be looked at
)

// badError ends a command with statusBad. Its text, if any, has not been printed yet.
type badError struct{ text string }

func (e badError) Error() string { return e.text }

// Run carries a command out and gives the exit status.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	out, errs = guard{out}, guard{errs}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	refuseOtherShells(root)
	err := root.ExecuteContext(ctx)
	var bad badError
	switch {
	case err == nil:
		return statusGood
	case errors.As(err, &bad):
		if bad.text != "" {
			_, _ = fmt.Fprintln(errs, "rocketmq-proxyctl:", bad.text)
		}
		return statusBad
	}
	_, _ = fmt.Fprintln(errs, "rocketmq-proxyctl:", err)
	return statusUsage
}

// refuseOtherShells makes an error of a shell that completion does not know, of which it shows its help by itself. The root's
// output must be set: the command keeps it.
func refuseOtherShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return // this program has no such command
	}
	completion.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	completion.Args = func(_ *cobra.Command, shells []string) error {
		if len(shells) > 0 {
			return fmt.Errorf("completion has no %q; want bash, zsh, fish or powershell", shells[0])
		}
		return nil
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "rocketmq-proxyctl",
		Short: "Look at an Envoy that has the RocketMQ filter, at its config and at its traffic",
		Long: `Look at an Envoy that has the RocketMQ filter, at its config and at its traffic.

Exit status: 0 all is well, 1 what was looked at is not in order, 2 it could not be looked at.
Colours are used on a terminal only, and not if NO_COLOR is set.`,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newCheck(), newExplain(), newTrace(), newTop())
	return root
}
