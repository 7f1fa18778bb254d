// SPDX-License-Identifier: Apache-2.0

// Contribgen writes envoy-config/contrib: each example config for stock Envoy as an Envoy with the Golang network filter needs
// it. Such an Envoy takes another filter with the same options, no tcp_proxy behind it, the cluster plainText in place of
// those of tcp_proxy, and a listener for the sake of its metrics. `make generate` runs it in the root of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	examples = "envoy-config"
	contrib  = "envoy-config/contrib"
)

const head = `# SPDX-License-Identifier: Apache-2.0
#
# ../%[1]s for an Envoy that has the Golang network filter: the contrib images (envoyproxy/envoy:contrib-*) and Istio's
# proxy. The filter's options are the same, and explained there. Written by make generate; do not edit.
#
# Not run by the tests, which have no contrib Envoy: checked against Envoy's API and the filter's. See docs/GOLANG_FILTER.md.
#
#   envoy -c envoy-config/contrib/%[1]s
`

// withoutProxyProtocol is said where clusters of tcp_proxy had a transport socket.
const withoutProxyProtocol = `#
# Brokers do not learn the clients' addresses: PROXY protocol headers take a tcp_proxy.
`

// filter is what follows "typed_config:" of the filter, up to its options.
const filter = `"@type": type.googleapis.com/envoy.extensions.filters.network.golang.v3alpha.Config
is_terminal_filter: true           # the filter knows no other way
library_id: rocketmq_proxy
# A wrong path is only an error line in the log at the start; the first connection then ends Envoy.
library_path: /etc/envoy/librocketmq_proxy.so
plugin_name: rocketmq_proxy
plugin_config:
`

const metrics = `  # Metrics. Envoy's Golang network filter has none, its HTTP filter has; so this listener exists for its config
  # alone, once in an Envoy. It opens no port. Without it everything works, and there are no metrics.
  - name: rocketmq_stats
    address:
      socket_address: {address: 127.0.0.1, port_value: 19877}
    bind_to_port: false
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: rocketmq_stats
          route_config: {}
          http_filters:
          - name: rocketmq_proxy_stats
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.golang.v3alpha.Config
              library_id: rocketmq_proxy
              library_path: /etc/envoy/librocketmq_proxy.so    # the same file
              plugin_name: rocketmq_proxy_stats
          - name: router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
`

const plainText = `  # The Golang filter opens all its connections through the cluster of this very name, and the plugin says
  # where to. For brokers with TLS add a transport_socket here, whatever the name suggests.
  - name: plainText
    type: ORIGINAL_DST
    lb_policy: CLUSTER_PROVIDED
    connect_timeout: 2s
    # One connection for each client and broker; Envoy's default is 1024 in all.
    circuit_breakers: {thresholds: [{max_connections: 100000, max_pending_requests: 100000}]}
    # Ends the connection to a host that is gone without a word, after a minute.
    upstream_connection_options: {tcp_keepalive: {keepalive_time: 30, keepalive_interval: 10, keepalive_probes: 3}}
`

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "contribgen:", err)
		os.Exit(1)
	}
}

func generate() error {
	old, err := filepath.Glob(contrib + "/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no files in %s: %w", examples, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := filepath.Base(file)
		converted, err := convert(name, string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(contrib, name), []byte(converted), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// convert returns an example as contrib Envoy needs it. It works on lines, which keeps comments and blank lines as they are, and
// relies on how the examples are indented.
func convert(name, text string) (string, error) {
	_, body, found := strings.Cut(text, "\n\n") // behind the comment at the beginning
	if !found {
		return "", fmt.Errorf("no blank line behind the comment at the beginning")
	}
	c := converter{ours: map[string]bool{}, leftOut: map[string]bool{}, clusters: map[string]bool{}}
	lines := c.filters(strings.Split(strings.TrimSuffix(body, "\n"), "\n"))
	if !c.found {
		return "", fmt.Errorf("no filter of ours")
	}
	listeners, clusters, err := c.split(lines)
	if err != nil {
		return "", err
	}
	intro := fmt.Sprintf(head, name)
	if c.socket {
		intro += withoutProxyProtocol
	}
	return intro + "\n" + listeners + "\n\n" + metrics + "\n  clusters:\n" + clusters + plainText, nil
}

// filtersBegin is the line before a list of filters, which may have an anchor.
var filtersBegin = regexp.MustCompile(`^ *(- )?filters:( &\w+)?$`)

type converter struct {
	found    bool            // our filter
	ours     map[string]bool // aliases of our filter, as "- *rocketmq_proxy"
	leftOut  map[string]bool // the same of filters that are left out
	clusters map[string]bool // of filters that are left out
	socket   bool            // a cluster that is left out has a transport socket
}

// filters changes our filter wherever it stands, and leaves out the tcp_proxy behind it.
func (c *converter) filters(lines []string) (kept []string) {
	for i := 0; i < len(lines); i++ {
		kept = append(kept, lines[i])
		if !filtersBegin.MatchString(lines[i]) {
			continue
		}
		end := i + 1
		indent := indentOf(lines[end])
		for end < len(lines) && (lines[end] == "" || indentOf(lines[end]) > indent || indentOf(lines[end]) == indent && isItem(lines[end])) {
			end++
		}
		for end > i+1 && lines[end-1] == "" { // belongs to what follows
			end--
		}
		ours := false
		for _, item := range items(lines[i+1:end], indent) {
			whole := strings.Join(item, "\n")
			alias := strings.TrimSpace(whole)
			switch {
			case strings.Contains(whole, ".DynamicModuleNetworkFilter"):
				ours, c.found = true, true
				c.ours[aliasOf(item)] = true
				kept = append(kept, golang(item)...)
			case c.ours[alias]:
				ours = true
				kept = append(kept, item...)
			case ours && strings.Contains(whole, ".TcpProxy"):
				c.leftOut[aliasOf(item)] = true
				c.clusters[valueOf(item, "cluster")] = true
			case c.leftOut[alias]:
			default:
				kept = append(kept, item...)
			}
		}
		i = end - 1
	}
	return kept
}

// golang returns our filter with the Golang network filter around its options.
func golang(item []string) (changed []string) {
	for i := 0; i < len(item); i++ {
		if !strings.Contains(item[i], ".DynamicModuleNetworkFilter") {
			changed = append(changed, item[i])
			continue
		}
		margin := strings.Repeat(" ", indentOf(item[i]))
		for line := range strings.Lines(filter) {
			changed = append(changed, margin+strings.TrimSuffix(line, "\n"))
		}
		for strings.TrimSpace(item[i]) != "filter_config:" {
			i++
		}
	}
	return changed
}

// split returns what stands before the clusters, and the clusters that anybody still uses, with a blank line behind them.
func (c *converter) split(lines []string) (listeners, clusters string, err error) {
	at := len(lines)
	for i, line := range lines {
		if line == "  clusters:" {
			at = i
		}
	}
	before, kept := lines[:at], []string(nil)
	if at < len(lines) {
		for _, item := range items(lines[at+1:], 2) {
			name := valueOf(item, "- name")
			if name == "" {
				return "", "", fmt.Errorf("a cluster without a name: %q", item)
			}
			if c.clusters[name] && !strings.Contains(strings.Join(before, "\n")+"\n", "cluster: "+name+"\n") {
				c.socket = c.socket || strings.Contains(strings.Join(item, "\n"), "transport_socket:")
				continue
			}
			kept = append(kept, item...)
		}
	}
	listeners = strings.TrimRight(strings.Join(before, "\n"), "\n")
	if len(kept) > 0 {
		clusters = strings.TrimRight(strings.Join(kept, "\n"), "\n") + "\n\n"
	}
	return listeners, clusters, nil
}

// items cuts a list whose entries are indented so far into entries, each with the comments before it.
func items(lines []string, indent int) (all [][]string) {
	var item []string
	complete := false
	for _, line := range lines {
		if complete && line != "" && indentOf(line) == indent {
			all = append(all, item)
			item, complete = nil, false
		}
		item = append(item, line)
		complete = complete || indentOf(line) == indent && strings.HasPrefix(strings.TrimSpace(line), "- ")
	}
	return append(all, item)
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// isItem reports whether a line begins an entry of a list, or a comment before one.
func isItem(line string) bool {
	text := strings.TrimSpace(line)
	return strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "#")
}

// aliasOf returns the line that repeats an entry elsewhere, or what no line is if the entry has no anchor.
func aliasOf(item []string) string {
	for _, line := range item {
		if anchor, ok := strings.CutPrefix(strings.TrimSpace(line), "- &"); ok {
			return "- *" + anchor
		}
	}
	return "no alias"
}

// valueOf returns the value of the first key of that name, or "".
func valueOf(item []string, key string) string {
	for _, line := range item {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+": "); ok {
			return value
		}
	}
	return ""
}
