// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
)

// source implements directory.NameServers by a cluster of Envoy.
type source struct {
	*envoyadmin.Watcher
	fresh atomic.Bool // the watcher has looked since Brokers was last called
}

// Resolve implements directory.NameServers; the name of a cluster is its address.
func (*source) Resolve(_ context.Context, cluster string) ([]string, error) {
	return []string{cluster}, nil
}

// Send implements directory.NameServers. Nothing is sent to an Envoy.
func (*source) Send(context.Context, string, []byte) error {
	return errors.New("a cluster of Envoy takes no requests")
}

// Brokers returns the endpoints of a cluster that say which broker they are. If the watcher has not looked at Envoy since
// the last call, a session misses a broker, and Brokers waits for a new look. A cluster that does not exist has no
// brokers.
func (s *source) Brokers(ctx context.Context, cluster string) (brokers []body.Address, err error) {
	if fresh := s.fresh.Swap(false); !fresh && !s.Stale() {
		if err := s.look(ctx); err != nil {
			return nil, err
		}
	}
	if s.Stale() {
		return nil, errors.New("the admin interface of Envoy cannot be read")
	}
	c, ok := s.Snapshot().Cluster(cluster)
	if !ok {
		return nil, nil
	}
	for _, e := range c.Endpoints {
		if e.Broker.Name != "" {
			brokers = append(brokers, body.Address{Cluster: e.Broker.ClusterName, BrokerName: e.Broker.Name, BrokerID: e.Broker.ID, Addr: e.Address})
		}
	}
	return brokers, nil
}

// look waits for a fresh look at Envoy's clusters.
func (s *source) look(ctx context.Context) error {
	looked := make(chan struct{})
	wake := func() { close(looked) }
	s.Await(&wake)
	defer s.Forget(&wake)
	s.RefreshSoon()
	select {
	case <-looked:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
