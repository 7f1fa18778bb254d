// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// nameServerTimeout bounds one exchange with one name server, DNS included.
const nameServerTimeout = 3 * time.Second

// refresh asks the name servers in turn until one answers. What was known stays if none does.
func (d *Directory) refresh(ctx context.Context) error {
	d.reach.Refresh()
	brokers, servers, err := d.askNameServers(ctx)
	brokers, resolved, unusable := d.resolveAll(ctx, brokers)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	next := *d.snapshot.Load()
	if len(servers) > 0 {
		next.nameServers = servers
	}
	if err == nil {
		var beyond int
		next.brokers, beyond = next.refreshed(brokers, time.Now(), d.forgetAfter, d.bounds.Brokers)
		d.beyond.Add(int64(beyond))
		next.resolved, next.unusable = resolved, unusable
	}
	d.snapshot.Store(&next)
	return err
}

// askNameServers gives all brokers, and the name servers as ip:port with the one that answered in front.
func (d *Directory) askNameServers(ctx context.Context) (brokers []body.Address, servers []string, err error) {
	var failures []error
	answered := -1
	for _, configured := range d.servers {
		each, cancel := context.WithTimeout(ctx, nameServerTimeout)
		address, failure := d.source.Resolve(each, configured)
		if failure == nil {
			servers = append(servers, address)
			if answered < 0 {
				if brokers, failure = d.ask(each, address); failure == nil {
					answered = len(servers) - 1
				}
			}
		}
		cancel()
		if failure != nil {
			failures = append(failures, fmt.Errorf("name server %s: %w", configured, failure))
		}
	}
	if answered < 0 {
		return nil, servers, errors.Join(failures...)
	}
	servers[0], servers[answered] = servers[answered], servers[0]
	return brokers, servers, nil
}

// errSelf is what comes of a name server whose address is the proxy's.
var errSelf = errors.New("this is the proxy itself")

// ask asks one name server for all brokers.
func (d *Directory) ask(ctx context.Context, address string) ([]body.Address, error) {
	if d.reach.NameServer(address) != reach.Allowed {
		return nil, errSelf
	}
	return d.source.Brokers(ctx, address)
}

// resolveAll replaces host names in broker addresses (brokerIP1 may be one). One that cannot be resolved
// now keeps what it stood for before; one that never could is unusable, and one of the proxy stays a name.
func (d *Directory) resolveAll(ctx context.Context, brokers []body.Address) (known []body.Address, resolved map[string]string, unusable []body.Address) {
	ctx, cancel := context.WithTimeout(ctx, nameServerTimeout) // for all together
	defer cancel()
	before := d.snapshot.Load().resolved
	resolved = make(map[string]string)
	for _, b := range brokers {
		b.Addr = b.HostPort()
		if !isIPPort(b.Addr) && !d.reach.Advertised(b.Addr) {
			address, err := d.source.Resolve(ctx, b.Addr)
			if err != nil {
				address = before[b.Addr]
			}
			resolved[b.Addr] = address
			if address == "" {
				unusable = append(unusable, b)
				continue
			}
			b.Addr = address
		}
		known = append(known, b)
	}
	return known, resolved, unusable
}

func isIPPort(address string) bool {
	_, err := netip.ParseAddrPort(address)
	return err == nil
}

// resolve turns host:port into ip:port by the system's resolver, IPv4 preferred.
func resolve(ctx context.Context, address string) (string, error) {
	if isIPPort(address) {
		return address, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", err
	}
	for _, a := range addresses {
		if a.Unmap().Is4() {
			return net.JoinHostPort(a.Unmap().String(), port), nil
		}
	}
	return net.JoinHostPort(addresses[0].String(), port), nil
}
