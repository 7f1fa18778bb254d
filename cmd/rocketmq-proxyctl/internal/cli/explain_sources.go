// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
)

// sources asks all name servers for their cluster lists, as the filter does, and shows which of them and of the route is
// believed about a broker on which they disagree.
func (e *explanation) sources(ctx context.Context, servers []string, config *apiv1.Config, route []byte) error {
	data, err := body.ParseTopicRouteData(route)
	if err != nil {
		return err
	}
	var names []string
	for _, broker := range data.Brokers {
		names = append(names, broker.BrokerName)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	known := directoryOf(ctx, servers, config)
	known.LearnBrokers(data.Brokers)
	for _, name := range names {
		if err := e.disagreement(name, known.Snapshot().Sources(name)); err != nil {
			return err
		}
	}
	return nil
}

// directoryOf returns a directory that has asked the name servers once.
func directoryOf(ctx context.Context, servers []string, config *apiv1.Config) *directory.Directory {
	bounds := directory.Bounds{Brokers: config.Limits.MaxBrokers, Topics: config.Limits.MaxTopics}
	d := directory.New(servers, time.Hour, directory.NameServersForget, bounds, directory.RemotingNameServers{Limits: config.FrameLimits()})
	asked := make(chan struct{})
	wake := func() { close(asked) }
	d.Await(&wake)
	d.Start()
	defer d.Stop()
	select {
	case <-asked:
	case <-ctx.Done():
	}
	return d
}

// disagreement shows where each source says that a broker is, if one of them is not believed.
func (e *explanation) disagreement(name string, said []directory.Said) error {
	if !slices.ContainsFunc(said, func(s directory.Said) bool { return !s.Believed }) {
		return nil
	}
	e.say("%s\n", painter(e.to)("red", fmt.Sprintf("the sources disagree about %s:", printable(name))))
	table := tabwriter.NewWriter(e.to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SOURCE\tID\tADDRESS\tTHE PROXY")
	for _, s := range said {
		source, verdict := "the route", "does not go there"
		if s.NameServer != "" {
			source = "cluster list of " + s.NameServer
		}
		if s.Believed {
			verdict = "goes there"
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", source, s.ID, printable(s.HostPort), verdict)
	}
	return table.Flush()
}
