// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/envoyfile"
)

func newCheck() *cobra.Command {
	var quiet bool
	command := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check the filter's options in Envoy configs, without an Envoy",
		Long: `Check the filter's options in Envoy configs, without an Envoy.

A FILE is a bootstrap, an LDS file, a Kubernetes ConfigMap that has one, an Istio EnvoyFilter, an EnvoyPatchPolicy,
or the options alone; YAML or JSON; - is the standard input. Every config of the filter in it is checked as the
filter itself would: for a stock Envoy (dynamic module), for contrib Envoy (Golang filter), or of Envoy's own
rocketmq_proxy. What Envoy has around the filter is not checked: "envoy --mode validate" does that.

Exit status: 0 all good, perhaps with warnings; 1 something is wrong, or a file has no config of the filter;
2 a file could not be read.`,
		Example: `  rocketmq-proxyctl check envoy.yaml
  kubectl get configmap envoy -o yaml | rocketmq-proxyctl check -`,
		Args: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				return errors.New("check wants a FILE, or - for the standard input; see rocketmq-proxyctl check --help")
			}
			return nil
		},
		RunE: func(command *cobra.Command, names []string) error {
			good := true
			for _, name := range names {
				file, err := readConfig(command, name)
				if err != nil {
					return err
				}
				good = checkFile(command.OutOrStdout(), name, file, quiet) && good
			}
			if !good {
				return badError{}
			}
			return nil
		},
	}
	command.Flags().BoolVarP(&quiet, "quiet", "q", false, "say nothing of what is good")
	return command
}

// checkFile tells what is in a file, and whether it is good.
func checkFile(w io.Writer, name string, file *envoyfile.File, quiet bool) bool {
	paint := painter(w)
	printFindings(w, name, file)
	if len(file.Filters) == 0 {
		_, _ = fmt.Fprintf(w, "%s: %s has no config of the filter\n", name, paint("red", "error:"))
		return false
	}
	for _, filter := range file.Filters {
		if !quiet && filter.Errors == 0 {
			_, _ = fmt.Fprintf(w, "%s:%d: %s %s\n", name, filter.Line, paint("green", "good:"), describe(filter))
		}
	}
	return file.Errors() == 0
}

// describe says in a line what a filter is.
func describe(f *envoyfile.Filter) string {
	text := f.Form.String()
	if f.Chained {
		text += " in front of tcp_proxy"
	}
	if f.Form != envoyfile.Own {
		text += ", " + modeOf(f.Config)
	}
	for _, cluster := range f.Config.Clusters {
		if len(cluster.BrokerNetworks) > 0 {
			text += fmt.Sprintf(", brokers of %s in %s", cluster.Name, strings.Trim(fmt.Sprint(cluster.BrokerNetworks), "[]"))
		}
	}
	if len(f.Listeners) > 0 {
		text += ", in " + listenersOf(f)
	}
	return text
}

func modeOf(config *apiv1.Config) string {
	if config.Compatible != nil {
		return "routes as those of Envoy's own rocketmq_proxy"
	}
	mode := map[apiv1.AddressingMode]string{apiv1.PerBrokerMode: "per_broker", apiv1.UnifiedMode: "unified", apiv1.TransparentMode: "transparent"}
	return mode[config.Addressing.Mode] + " addressing"
}

// listenersOf names the listeners with their ports.
func listenersOf(f *envoyfile.Filter) string {
	var names []string
	for _, l := range f.Listeners {
		ports := make([]string, len(l.Ports))
		for i, port := range l.Ports {
			ports[i] = fmt.Sprint(port)
		}
		names = append(names, strings.TrimSpace(l.Name+" :"+strings.Join(ports, ",")))
	}
	return strings.Join(names, ", ")
}
