// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout  = 5 * time.Second
	DefaultMaxBytes = 64 << 20
)

// Options say where Envoy's admin interface is, and what may be spent on reading it.
type Options struct {
	// Address is host:port or the path of a Unix socket, which begins with / or @.
	Address string
	// Timeout bounds all requests of one refresh together; 0 is DefaultTimeout.
	Timeout time.Duration
	// MaxBytes bounds the body of one answer; 0 is DefaultMaxBytes.
	MaxBytes int64
}

// Client reads Envoy's admin interface over HTTP. It keeps at most one connection, and is not for several threads at once.
type Client struct {
	options Options
	base    string
	http    http.Client
	live    bool           // Envoy has started
	process *bootstrapDump // nil: not read yet
}

// NewClient makes a Client; it does not connect yet.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	c := &Client{options: o, base: "http://" + o.Address}
	transport := &http.Transport{ // without a proxy, whatever the environment says
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	if strings.HasPrefix(o.Address, "/") || strings.HasPrefix(o.Address, "@") {
		c.base = "http://admin"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", o.Address)
		}
	}
	c.http = http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// clusterMask keeps out of the dump of a cluster what is not read here, above all its endpoints, which
// come with the other dump, and of the configuration of its transport socket all but the type.
var clusterMask = url.QueryEscape("cluster.name,cluster.eds_cluster_config.service_name,cluster.lb_subset_config,cluster.load_balancing_policy," +
	"cluster.connect_timeout,cluster.circuit_breakers,cluster.transport_socket.name,cluster.transport_socket.typed_config.type_url," +
	"cluster.transport_socket_matches,cluster.upstream_bind_config,cluster.filters")

// The requests. A dump of everything would have all listeners, routes and secrets, and be lost when a
// message in any of them has a type that Envoy cannot print. The admin interface could filter by name as
// well, but refuses expressions as long as a handful of names (re2.max_program_size).
var (
	staticClusters   = "/config_dump?resource=static_clusters&mask=" + clusterMask
	dynamicClusters  = "/config_dump?resource=dynamic_active_clusters&mask=" + clusterMask
	staticEndpoints  = "/config_dump?include_eds&resource=static_endpoint_configs"
	dynamicEndpoints = "/config_dump?include_eds&resource=dynamic_endpoint_configs"
	allClusters      = "/clusters?format=json"
	runtimeValues    = "/runtime"
	// Read once, since it never changes: a mask without a resource has Envoy dump everything, and drop it.
	bootstrap = "/config_dump?mask=bootstrap.cluster_manager.upstream_bind_config"
)

// Read asks Envoy for the clusters with these names. Those that it does not have are not in the snapshot;
// any request that fails fails all.
func (c *Client) Read(ctx context.Context, names []string) (*Snapshot, error) {
	if err := c.awaitLive(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	if c.process == nil {
		process := &bootstrapDump{}
		if err := c.get(ctx, bootstrap, process); err != nil {
			return nil, fmt.Errorf("envoy admin %s%s: %w", c.options.Address, bootstrap, err)
		}
		c.process = process
	}
	answers := answers{processBinds: c.process.binds()}
	for _, each := range []struct {
		path string
		into any
	}{
		{staticClusters, &answers.static.clusters},
		{dynamicClusters, &answers.dynamic.clusters},
		{staticEndpoints, &answers.static.endpoints},
		{dynamicEndpoints, &answers.dynamic.endpoints},
		{allClusters, &answers.statuses},
		{runtimeValues, &answers.runtime},
	} {
		err := c.get(ctx, each.path, each.into)
		var status *statusError
		if each.path == runtimeValues && errors.As(err, &status) {
			continue // not allowed or not there: no cluster is in maintenance
		}
		if err != nil {
			path, _, _ := strings.Cut(each.path, "&mask=")
			return nil, fmt.Errorf("envoy admin %s%s: %w", c.options.Address, path, err)
		}
	}
	return answers.snapshot(names)
}

// liveGap is the time between two questions whether Envoy has started.
const liveGap = 50 * time.Millisecond

// maxSilences is how often in a row the question may time out: for a minute Envoy may answer nothing because it reads a
// large config.
const maxSilences = 12

// awaitLive waits until Envoy has started, however long that takes: what it shows before may lack clusters and endpoints
// that it is fetching. Clients connect only afterwards.
func (c *Client) awaitLive(ctx context.Context) error {
	for silences := 0; !c.live; {
		state, err := c.state(ctx)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && silences < maxSilences {
			silences++
			continue
		}
		if err != nil {
			return fmt.Errorf("envoy admin %s%s: %w", c.options.Address, ready, err)
		}
		if c.live = !strings.Contains(state, initializing); c.live {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(liveGap):
		}
	}
	return nil
}

// ready says INITIALIZING or PRE_INITIALIZING while Envoy starts (ServerInfo.State), with status 503.
const (
	ready        = "/ready"
	initializing = "INITIALIZING"
)

// state is Envoy's state; empty where admin.allow_paths hides it.
func (c *Client) state(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	body, err := c.fetch(ctx, ready)
	var status *statusError
	if errors.As(err, &status) {
		return status.text, nil
	}
	return string(body), err
}

// Close ends the connection that is kept.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// statusError is an answer that is not 200.
type statusError struct {
	status, text string
}

func (e *statusError) Error() string { return e.status + ": " + e.text }

func (c *Client) get(ctx context.Context, path string, into any) error {
	body, err := c.fetch(ctx, path)
	if err != nil {
		return err
	}
	return decode(body, into)
}

func (c *Client) fetch(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the URL is told already
		}
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.options.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > c.options.MaxBytes {
		return nil, fmt.Errorf("more than %d bytes", c.options.MaxBytes)
	}
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{response.Status, begin(body)}
	}
	return body, nil
}

// maxValues bounds the values in one answer: "{}," is 3 bytes, and can be a hundred in memory. An endpoint
// with all metadata has about 25.
const maxValues = 1 << 20

// decode reads JSON. Unknown fields are passed over.
func decode(body []byte, into any) error {
	if n := bytes.Count(body, []byte(",")); n >= maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w, in %s", err, begin(body)) // Envoy reports what it cannot print as text, with status 200
	}
	return nil
}

// begin is what an answer begins with, for a log.
func begin(body []byte) string {
	const most = 200
	if len(body) > most {
		return fmt.Sprintf("%q…", body[:most])
	}
	return fmt.Sprintf("%q", body)
}
