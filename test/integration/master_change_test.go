// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestClientsFollowAChangeOfMaster has the controller make the other replica of a broker its master. The old one stays
// alive and takes connections: nothing but the name server's list says that it is not the master any more.
func TestClientsFollowAChangeOfMaster(t *testing.T) {
	const topicQueues = 8
	x := install(t, world.Options{
		Mode: world.SideBySide, Brokers: []string{"broker-a"}, Controller: true, Topics: world.PairTopics(topicQueues, world.Plain),
	})
	replica, err := x.StartReplica(x.limit(2*time.Minute), x.Brokers[0])
	if err != nil {
		x.Fatal(err)
	}
	pairs, err := x.StartPairs(x.limit(3*time.Minute), world.PairOptions{
		Ways: x.Ways(), Loads: []world.Load{world.Plain}, Queues: topicQueues,
		Producer: []string{"--rate", "20", "--threads", "2"},
		Client:   []string{"--interval", "3000"}, Flags: []string{"-Drocketmq.client.rebalance.waitInterval=3000"},
	})
	if err != nil {
		x.Fatal(err)
	}
	for _, p := range pairs {
		if _, err := fault.Flows(x.limit(2*time.Minute), p, time.Now(), x.Brokers); err != nil {
			x.Fatal(err)
		}
	}
	outcomes, err := fault.Fault{
		Name: "master changed", Hit: fault.EveryBroker,
		Strike: func(ctx context.Context, _ *world.World, b *world.Broker) error { return x.elect(ctx, b, replica, 2) },
		Heal:   func(context.Context, *world.World, *world.Broker) error { return nil },
	}.Run(x.limit(5*time.Minute), x.World, x.Brokers[0], pairs)
	if err != nil {
		x.Fatal(err)
	}
	direct := outcomes[0]
	for _, o := range outcomes {
		x.Logf("%s: %d sends failed, longest pause %.1f s, sent again after %.1f s, consumed again after %.1f s", o.Pair.Name(), o.Failed,
			o.Pause.Seconds(), o.SentAgain.Seconds(), o.ConsumedAgain.Seconds())
		// Clients ask for routes every 3 s and share out their queues as often, each at its own time.
		if o.SentAgain > direct.SentAgain+5*time.Second || o.ConsumedAgain > direct.ConsumedAgain+10*time.Second {
			x.Errorf("%s takes longer than a direct client", o.Pair.Name())
		}
	}
	perBroker := x.by(t, x.ProxiedWays()[0])
	perBroker.awaitAtLeast("destination_moved", 2) // of its producer and its consumer
	for _, p := range pairs {
		if err := p.Producer.Rest(); err != nil {
			x.Fatal(err)
		}
	}
	for _, p := range pairs {
		if sums := p.Drained(x.limit(2*time.Minute), 45*time.Second); sums.Lost() > 0 {
			x.Errorf("%s: %v", p.Name(), sums)
		}
		x.finish(p.Producer, p.Consumer)
	}
}

// elect has the controller make a replica the master, as soon as it is in step, and waits until the name server says so.
func (x *installation) elect(ctx context.Context, of, replica *world.Broker, controllersID int) error {
	for ctx.Err() == nil {
		x.mqadminOutput("electMaster", "-a", x.Controller(), "-b", fmt.Sprint(controllersID), "-bn", of.Name, "-c", "DefaultCluster")
		for range 3 {
			list := x.mqadmin("clusterList", "-n", x.NameServer)
			for _, line := range strings.Split(list, "\n") {
				if fields := strings.Fields(line); len(fields) > 3 && fields[1] == of.Name && fields[2] == "0" && fields[3] == replica.Addr {
					return nil
				}
			}
		}
	}
	return ctx.Err()
}
