// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/envoyfile"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/route"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// explanation is one run of the command.
type explanation struct {
	topic, config, dialled string
	nameServers            []string
	timeout                time.Duration
	offline                bool
	proxy                  *reach.Own // addresses of the Envoy that has the config
	to                     io.Writer
	unseen                 error // why a route is not shown
}

func newExplain() *cobra.Command {
	var e explanation
	command := &cobra.Command{
		Use:   "explain --topic TOPIC --config FILE",
		Short: "Say which brokers and addresses a client is told for a topic, and why",
		Long: `Say which brokers and addresses a client is told for a topic, and why.

The name servers of the config are asked for the topic's route, unsigned, and the route is rewritten as the filter would.
Where none can be reached the rules alone are shown. All name servers are asked for their lists of brokers too; where these and the route
differ, it says which of them the proxy goes by. Brokers to which the proxy sends nothing are named: those whose address is one
of its own, by this file and this machine's addresses, or in none of broker_networks. Then the rules of the policy that can match the topic. A file with several configs, as for two views of a cluster,
has each explained.

Exit status: 0 if the name servers were heard, also of a topic that does not exist, or with --offline; 1 something is wrong with the file
or the route; 2 the file could not be read, or no name server gave a route.`,
		Example: `  rocketmq-proxyctl explain --topic Orders --config envoy.yaml
  rocketmq-proxyctl explain --topic Orders --config envoy.yaml --name-server 127.0.0.1:9876`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			e.to = command.OutOrStdout()
			return e.run(command)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&e.topic, "topic", "t", "", "the topic")
	flags.StringVarP(&e.config, "config", "c", "", "the Envoy config, as for check; - is the standard input")
	flags.StringSliceVarP(&e.nameServers, "name-server", "n", nil, "host:port to ask, in place of those in the config")
	flags.StringVar(&e.dialled, "dialled", "", "host:port by which clients reach the proxy, where unified addressing tells them just that")
	flags.DurationVar(&e.timeout, "timeout", 3*time.Second, "for each name server")
	flags.BoolVar(&e.offline, "offline", false, "ask no name server")
	for _, name := range []string{"topic", "config"} {
		_ = command.MarkFlagRequired(name)
	}
	return command
}

func (e *explanation) run(command *cobra.Command) error {
	if e.topic == "" {
		return errors.New("--topic is empty; want the name of a topic, as --topic TBW102")
	}
	file, err := readConfig(command, e.config)
	if err != nil {
		return err
	}
	printFindings(command.ErrOrStderr(), e.config, file)
	if file.Errors() > 0 {
		return badError{}
	}
	if len(file.Filters) == 0 {
		return badError{e.config + " has no config of the filter"}
	}
	e.proxy = file.Own(reach.Hosts())
	for i, filter := range file.Filters {
		if i > 0 {
			e.say("\n")
		}
		e.say("%s:%d: %s\n", e.config, filter.Line, describe(filter))
		if filter.Config.Compatible != nil {
			e.compatible(filter.Config.Compatible)
		} else if err := e.own(command.Context(), filter); err != nil {
			return err
		}
		e.policy(filter.Config.Policy)
	}
	return e.unseen
}

func (e *explanation) say(format string, args ...any) { _, _ = fmt.Fprintf(e.to, format, args...) }

// compatible explains a config of Envoy's own rocketmq_proxy.
func (e *explanation) compatible(config *apiv1.CompatibleConfig) {
	matched, ok := config.Routes.Match(routeconfig.Request{Topic: e.topic, Code: int32(requests.GetRouteInfoByTopic)})
	if !ok {
		e.say("topic %s: no route matches; clients are answered SYSTEM_ERROR\n", e.topic)
		return
	}
	e.say("topic %s: route_config.routes[%d] leads to Envoy's cluster %s\n", e.topic, matched.Index, matched.Cluster)
	if config.DevelopMode {
		e.say("clients are told the address that they dialled, for each broker (develop_mode)\n")
	} else {
		e.say("clients are told the addresses of its endpoints, which the filter reads from Envoy's admin interface at %s\n", config.AdminAddress)
	}
}

// own explains a config of this filter.
func (e *explanation) own(ctx context.Context, filter *envoyfile.Filter) error {
	config := filter.Config
	clusters, why := []apiv1.ClusterConfig{config.Clusters[0]}, "the only one of the config"
	_, ofGroup := codec.CutGroupTopic(e.topic)
	switch {
	case len(config.Clusters) == 1:
	case ofGroup:
		clusters, why = config.Clusters, "those of the topics of its group"
	default:
		clusters[0], why = config.Clusters[config.ClusterOf(e.topic)], "the first, as no route matches"
		if matched, ok := config.Routes.Match(routeconfig.Request{Topic: e.topic}); ok {
			why = fmt.Sprintf("by route_config.routes[%d]", matched.Index)
		}
	}
	for _, cluster := range clusters {
		e.say("topic %s: cluster %s, %s\n", e.topic, cluster.Name, why)
		body, err := e.ask(ctx, config, cluster)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var answer *route.AnswerError
		switch {
		case errors.As(err, &answer) && answer.Code == codec.ResponseTopicNotExist:
			e.say("clients are told what the name server says: %v. Producers then ask for the topic TBW102, to create theirs\n", answer.Code)
		case errors.Is(err, errOffline):
			e.rules(config.Addressing)
		case err != nil:
			e.rules(config.Addressing)
			e.unseen = fmt.Errorf("no name server of cluster %s gave the route of %s, these are the rules alone; --name-server asks another, --offline none", cluster.Name, e.topic)
		default:
			if err := e.table(ctx, filter, cluster, body); err != nil {
				return badError{fmt.Sprintf("the route cannot be read: %v", err)}
			}
			if err := e.sources(ctx, e.servers(cluster), config, body); err != nil {
				return err
			}
		}
	}
	return nil
}

var errOffline = errors.New("not asked")

// ask gets the route from the first name server that has an answer.
func (e *explanation) ask(ctx context.Context, config *apiv1.Config, cluster apiv1.ClusterConfig) (body []byte, err error) {
	if e.offline {
		return nil, errOffline
	}
	for _, address := range e.servers(cluster) {
		each, cancel := context.WithTimeout(ctx, e.timeout)
		body, err = route.Ask(each, address, e.topic, config.FrameLimits())
		cancel()
		var answer *route.AnswerError
		switch {
		case err == nil:
			e.say("name server %s has the route\n", address)
			return body, nil
		case errors.As(err, &answer):
			e.say("name server %s answers %s\n", address, printable(err.Error()))
			return nil, err
		}
		e.say("name server %s: %s\n", address, printable(err.Error()))
	}
	return nil, err
}

// servers are the name servers to ask.
func (e *explanation) servers(cluster apiv1.ClusterConfig) []string {
	if len(e.nameServers) > 0 {
		return e.nameServers
	}
	return cluster.NameServers
}

// table shows what becomes of each address of a route.
func (e *explanation) table(ctx context.Context, filter *envoyfile.Filter, cluster apiv1.ClusterConfig, body []byte) error {
	local := e.dialled
	if local == "" {
		local = "<as dialled>"
	}
	told, _, err := route.Answer(filter.Config, local, body)
	if err != nil {
		return err
	}
	paint := painter(e.to)
	table := tabwriter.NewWriter(e.to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "BROKER\tID\tIS AT\tCLIENTS ARE TOLD\tBECAUSE")
	lost := 0
	for _, t := range told {
		address := t.Address
		if address == "" {
			address = "nothing"
			lost++
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", printable(t.Broker.BrokerName), t.Broker.BrokerID, printable(t.Broker.Addr), printable(address), t.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(told) > 0 && lost == len(told) {
		e.say("%s\n", paint("red", "clients are told of no broker at all"))
	}
	for _, t := range told {
		if problem := e.unreachable(ctx, cluster, t.Broker.HostPort()); problem != "" {
			e.say("%s\n", paint("red", fmt.Sprintf("nothing is sent to %s, id %d: its address %s %s", printable(t.Broker.BrokerName), t.Broker.BrokerID, printable(t.Broker.Addr), problem)))
		}
	}
	return nil
}

// unreachable says why the proxy does not connect to the address of a broker; "" if it does.
func (e *explanation) unreachable(ctx context.Context, cluster apiv1.ClusterConfig, address string) string {
	rules := reach.Rules{Own: e.proxy, Networks: cluster.BrokerNetworks}
	if !rules.Advertised(address) {
		ctx, cancel := context.WithTimeout(ctx, e.timeout)
		defer cancel()
		resolved, err := directory.RemotingNameServers{}.Resolve(ctx, address)
		if err != nil {
			return "cannot be resolved here (broker_unknown)"
		}
		address = resolved[0]
	}
	switch rules.Broker(address) {
	case reach.Self:
		return "leads back to the proxy (broker_is_self)"
	case reach.Outside:
		return "is in none of the networks where brokers may be (broker_outside_networks)"
	}
	return ""
}

// rules shows what is known without a route.
func (e *explanation) rules(config apiv1.AddressingConfig) {
	switch config.Mode {
	case apiv1.TransparentMode:
		e.say("clients are told the brokers' own addresses (addressing.transparent)\n")
	case apiv1.UnifiedMode:
		address := "the address that they dialled"
		if config.AdvertisedAddress != "" {
			address = config.AdvertisedAddress
		}
		e.say("clients are told %s for each broker (addressing.unified)\n", address)
	default:
		table := tabwriter.NewWriter(e.to, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "BROKER\tID\tCLIENTS ARE TOLD\tBECAUSE")
		for i, b := range config.Brokers {
			_, _ = fmt.Fprintf(table, "%s\t%d\t%s\taddressing.per_broker.brokers[%d], connections come to port %d\n", b.BrokerName, b.BrokerID, b.AdvertisedAddress, i, b.ListenerPort)
		}
		if t := config.Template; t != nil {
			_, _ = fmt.Fprintf(table, "number 0 to %d\t0 to %d\t%s:%d + number * %d + id\taddressing.per_broker.template, connections come to port %d + number * %d + id\n",
				t.Numbers-1, t.IDsPerBroker-1, t.AdvertisedHost, t.AdvertisedBasePort, t.IDsPerBroker, t.ListenerBasePort, t.IDsPerBroker)
		}
		_ = table.Flush()
		if config.PassUncovered {
			e.say("other brokers keep their own addresses, and their clients leave the proxy (addressing.uncovered is PASS)\n")
		} else {
			e.say("other brokers are left out (addressing.uncovered is DROP)\n")
		}
	}
}

// printable keeps a text of a name server in its line, or its column, and bounds it.
func printable(text string) string { return logline.Escape(text, 200) }
