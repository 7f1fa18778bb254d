// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// maxAnswer bounds an answer of the admin interface.
const maxAnswer = 64 << 20

// Quantiles of a histogram in milliseconds, by percent; nothing where nothing was recorded.
type Quantiles map[float64]float64

// Histogram is what Envoy knows of one.
type Histogram struct {
	Recent Quantiles // of Envoy's last flush interval
	All    Quantiles // since its start
}

// Filter is the stats of one stat_prefix, by their names in filter/stats.
type Filter struct {
	Values     map[string]float64
	Histograms map[string]Histogram
}

// Sample is the stats of all filters at one time, by stat_prefix.
type Sample struct {
	At      time.Time
	Filters map[string]*Filter
}

// Client reads an admin interface.
type Client struct {
	http http.Client
	base string
}

// NewClient makes a Client for host:port, or for the path of a Unix socket. It does not connect yet.
func NewClient(address string, timeout time.Duration) *Client {
	transport := &http.Transport{MaxResponseHeaderBytes: 64 << 10} // without a proxy, whatever the environment says
	base := "http://" + address
	if strings.HasPrefix(address, "/") || strings.HasPrefix(address, "@") {
		base = "http://admin"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", address)
		}
	}
	return &Client{base: base, http: http.Client{Transport: transport, Timeout: timeout}}
}

// Read takes a sample.
func (c *Client) Read(ctx context.Context) (*Sample, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+`/stats?format=json&filter=%5Erocketmq%5C.`, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the admin interface answers %s", response.Status)
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("the admin interface answers with more than %d bytes", maxAnswer)
	}
	return parse(text, time.Now())
}

// parse reads an answer of Envoy.
func parse(text []byte, at time.Time) (*Sample, error) {
	var answer struct {
		Stats []struct {
			Name       string
			Value      float64
			Histograms *struct {
				Supported []float64 `json:"supported_quantiles"`
				Computed  []struct {
					Name   string
					Values []struct{ Interval, Cumulative *float64 }
				} `json:"computed_quantiles"`
			}
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("the admin interface's answer cannot be read: %w", err)
	}
	s := &Sample{At: at, Filters: map[string]*Filter{}}
	for _, stat := range answer.Stats {
		if stat.Histograms == nil {
			if filter, name := s.filter(stat.Name); filter != nil {
				filter.Values[name] = stat.Value
			}
			continue
		}
		for _, each := range stat.Histograms.Computed {
			filter, name := s.filter(each.Name)
			if filter == nil {
				continue
			}
			h := Histogram{Recent: Quantiles{}, All: Quantiles{}}
			for i, value := range each.Values[:min(len(each.Values), len(stat.Histograms.Supported))] {
				if value.Interval != nil {
					h.Recent[stat.Histograms.Supported[i]] = *value.Interval
				}
				if value.Cumulative != nil {
					h.All[stat.Histograms.Supported[i]] = *value.Cumulative
				}
			}
			filter.Histograms[name] = h
		}
	}
	return s, nil
}

// known are the names that follow rocketmq.<stat_prefix>.
var known = func() map[string]bool {
	names := make(map[string]bool, len(stats.Table))
	for _, def := range stats.Table {
		names[def.Name] = true
	}
	return names
}()

// own is a counter of a config's own: its prefix, and its name.
var own = regexp.MustCompile(`^(.+)\.(policy\.(?:rule|rate_limit)\.[^.]+|(?:topic|group)\.[^.]+\.(?:requests|errors|messages_sent|bytes_sent|bytes_fetched))$`)

// filter finds whose stat it is; nil for a stat that is not one of the filter's.
func (s *Sample) filter(stat string) (f *Filter, name string) {
	rest, ok := strings.CutPrefix(stat, "rocketmq.")
	if !ok {
		return nil, ""
	}
	if parts := own.FindStringSubmatch(rest); parts != nil { // a rule may be named as a stat of the table is
		return s.of(parts[1]), parts[2]
	}
	for i := range len(rest) { // a stat_prefix may have dots
		if rest[i] != '.' || !known[rest[i+1:]] {
			continue
		}
		return s.of(rest[:i]), rest[i+1:]
	}
	return nil, ""
}

// of gives the stats of a stat_prefix.
func (s *Sample) of(prefix string) *Filter {
	if s.Filters[prefix] == nil {
		s.Filters[prefix] = &Filter{Values: map[string]float64{}, Histograms: map[string]Histogram{}}
	}
	return s.Filters[prefix]
}
