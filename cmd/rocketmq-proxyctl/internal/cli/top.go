// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/admin"
)

// watching is one run of the command.
type watching struct {
	address  string
	interval time.Duration
	once     bool
	view     admin.View
}

func newTop() *cobra.Command {
	var t watching
	command := &cobra.Command{
		Use:   "top",
		Short: "Show what a running proxy does: request rates, times, upstreams, troubles",
		Long: `Show what a running proxy does: request rates, times, upstreams, troubles.

The figures are those of docs/STATS.md, read from Envoy's admin interface. Rates are over the time between two readings;
"just now" is Envoy's own last interval (5 s by default). The filter's stats are about a second old.`,
		Example: `  rocketmq-proxyctl top --admin 127.0.0.1:9901
  rocketmq-proxyctl top --once --interval 10s`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return t.run(command)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&t.address, "admin", "a", apiv1.DefaultAdminAddress, "host:port of Envoy's admin interface, or the path of its Unix socket; Istio's proxy has 127.0.0.1:15000")
	flags.DurationVarP(&t.interval, "interval", "i", 2*time.Second, "between two readings; 0 with --once: one reading, without rates")
	flags.BoolVar(&t.once, "once", false, "show one interval and end")
	flags.StringVar(&t.view.Prefix, "prefix", "", "only the filters with this stat_prefix")
	flags.IntVar(&t.view.Rows, "rows", 20, "most request kinds to show; 0: all")
	return command
}

func (t *watching) run(command *cobra.Command) error {
	if t.interval < 0 || t.interval == 0 && !t.once {
		return errors.New("--interval must be more than 0")
	}
	out := command.OutOrStdout()
	t.view.Paint = painter(out)
	address, err := adminAddress(t.address)
	if err != nil {
		return err
	}
	t.address = address
	client := admin.NewClient(t.address, 10*time.Second)
	before, err := t.read(command.Context(), client)
	if err != nil {
		return err
	}
	if t.once && t.interval == 0 {
		return t.view.Draw(out, nil, before)
	}
	if !t.once {
		if err := t.show(out, nil, before); err != nil {
			return err
		}
	}
	for {
		select {
		case <-command.Context().Done():
			return nil
		case <-time.After(t.interval):
		}
		now, err := t.read(command.Context(), client)
		if err != nil {
			if command.Context().Err() != nil {
				return nil // asked to end
			}
			return err
		}
		if t.once {
			return t.view.Draw(out, before, now)
		}
		if err := t.show(out, before, now); err != nil {
			return err
		}
		before = now
	}
}

// adminAddress gives host:port, also of http://host:port/, or the path of a socket.
func adminAddress(text string) (string, error) {
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "@") {
		return text, nil
	}
	address := strings.TrimSuffix(strings.TrimPrefix(text, "http://"), "/")
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("--admin is %q; want host:port, or the path of a Unix socket", text)
	}
	return address, nil
}

func (t *watching) read(ctx context.Context, client *admin.Client) (*admin.Sample, error) {
	sample, err := client.Read(ctx)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
		return nil, fmt.Errorf("%s: %w; is Envoy running there? --admin names its admin interface", t.address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.address, err)
	}
	if len(sample.Filters) == 0 {
		return nil, badError{t.address + ": this Envoy has no stats of the filter (Istio wants them named in proxyStatsMatcher)"}
	}
	if t.view.Prefix != "" && sample.Filters[t.view.Prefix] == nil {
		return nil, badError{fmt.Sprintf("%s: no filter has the stat_prefix %q", t.address, t.view.Prefix)}
	}
	return sample, nil
}

// show draws over what is on a terminal, and below it elsewhere.
func (t *watching) show(out io.Writer, before, now *admin.Sample) error {
	var text strings.Builder
	if isTerminal(out) {
		text.WriteString(clearScreen)
	}
	fmt.Fprintf(&text, "%s  %s\n\n", t.address, now.At.Format("15:04:05"))
	if err := t.view.Draw(&text, before, now); err != nil {
		return err
	}
	if !isTerminal(out) {
		text.WriteString("\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}
