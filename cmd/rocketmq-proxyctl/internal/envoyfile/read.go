// SPDX-License-Identifier: Apache-2.0

package envoyfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// maxNodes bounds the places visited in one file: aliases can make a small file a huge tree.
const maxNodes = 1 << 20

// Type names in Envoy files.
const (
	dynamicModuleType = "envoy.extensions.filters.network.dynamic_modules.v3.DynamicModuleNetworkFilter"
	golangType        = "envoy.extensions.filters.network.golang.v3alpha.Config"
	tcpProxyType      = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
	originalDstType   = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
	rocketmqProxyType = "envoy.extensions.filters.network.rocketmq_proxy.v3.RocketmqProxy"
	filterConfigType  = "rocketmq_proxy.v1.FilterConfig"
	typedStructType   = "xds.type.v3.TypedStruct"
	oldTypedStruct    = "udpa.type.v1.TypedStruct"
)

// moduleName is the file name of our host for stock Envoys, without "lib" and ".so".
const moduleName = "rocketmq_proxy_host"

// Read finds and checks every config of the filter in a file's text. The error says that the text is not YAML.
func Read(src []byte) (*File, error) {
	r := &reader{file: &File{}}
	if err := r.documents(src, "", 0); err != nil {
		return nil, err
	}
	if r.nodes > maxNodes {
		return nil, fmt.Errorf("more than %d values", maxNodes)
	}
	for _, filter := range r.file.Filters {
		r.neighbourhood(filter)
	}
	slices.SortStableFunc(r.file.Findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return r.file, nil
}

type reader struct {
	file      *File
	nodes     int
	firstLine int             // of the text at hand, in the file; less one
	clusters  map[string]bool // of a bootstrap without CDS; else nil
}

func (r *reader) documents(src []byte, path string, firstLine int) error {
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	outer := r.firstLine
	r.firstLine = firstLine
	defer func() { r.firstLine = outer }()
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(document.Content) == 0 {
			continue
		}
		root := real(document.Content[0])
		r.clusters = staticClusters(root)
		r.file.sockets = append(r.file.sockets, socketsOf(at(root, "admin", "address"))...)
		if isBare(root) {
			r.bare(root, path)
			continue
		}
		if err := r.walk(root, place{path: path}, 0); err != nil {
			return err
		}
	}
}

// place is where in a file a value stands.
type place struct {
	path     string
	listener *Listener
	// filters tells that the value is one of a list of filters, of which next is the type of the one behind it.
	filters bool
	next    string
}

func (p place) member(name string) place {
	inner := place{path: strings.TrimPrefix(p.path+"."+name, "."), listener: p.listener}
	if strings.ContainsAny(name, ".[]/") {
		inner.path = fmt.Sprintf("%s[%q]", p.path, name)
	}
	if name == "typed_config" || name == "typedConfig" {
		inner.filters, inner.next = p.filters, p.next
	}
	return inner
}

// maxDepth bounds nesting.
const maxDepth = 100

func (r *reader) walk(n *yaml.Node, p place, depth int) (err error) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return nil
	}
	switch n = real(n); n.Kind {
	case yaml.MappingNode:
		if r.filter(n, p) {
			return nil
		}
		if l := listenerOf(n); l != nil {
			p.listener = l
			r.file.sockets = append(r.file.sockets, l.sockets...)
		}
		if text(at(n, "kind")) == "ConfigMap" {
			return r.configMap(n, p)
		}
		pairs(n, func(key, value *yaml.Node) {
			if err == nil {
				err = r.walk(value, p.member(key.Value), depth+1)
			}
		})
	case yaml.SequenceNode:
		inFilters := strings.HasSuffix(p.path, ".filters")
		for i, element := range n.Content {
			inner := place{path: fmt.Sprintf("%s[%d]", p.path, i), listener: p.listener, filters: inFilters}
			if inFilters && i+1 < len(n.Content) {
				inner.next = filterType(n.Content[i+1])
			}
			if err := r.walk(element, inner, depth+1); err != nil {
				return err
			}
		}
	}
	return err
}

// configMap looks into the files that a ConfigMap has.
func (r *reader) configMap(n *yaml.Node, p place) (err error) {
	pairs(at(n, "data"), func(key, value *yaml.Node) {
		isFile := strings.HasSuffix(key.Value, ".yaml") || strings.HasSuffix(key.Value, ".yml") || strings.HasSuffix(key.Value, ".json")
		if err != nil || !isFile || value.Kind != yaml.ScalarNode {
			return
		}
		line := r.firstLine + value.Line
		if value.Style&yaml.LiteralStyle == 0 {
			line-- // the text begins where the value does, and not below it
		}
		if err = r.documents([]byte(value.Value), p.member("data").member(key.Value).path, line); err != nil {
			err = fmt.Errorf("data[%q]: %w", key.Value, err)
		}
	})
	return err
}

// listenerOf reads a Listener; nil for other messages.
func listenerOf(n *yaml.Node) *Listener {
	_, address := member(n, "address")
	_, chains := member(n, "filter_chains")
	_, last := member(n, "default_filter_chain")
	if address == nil || chains == nil && last == nil {
		return nil
	}
	l := &Listener{Name: text(at(n, "name"))}
	addPort := func(address *yaml.Node) {
		var port int
		if value := at(address, "socket_address", "port_value"); value != nil && value.Decode(&port) == nil {
			l.Ports = append(l.Ports, port)
		}
		l.sockets = append(l.sockets, socketsOf(address)...)
	}
	addPort(address)
	for _, more := range elements(at(n, "additional_addresses")) {
		addPort(at(more, "address"))
	}
	for _, filter := range elements(at(n, "listener_filters")) {
		l.originalDst = l.originalDst || filterType(filter) == originalDstType
	}
	return l
}

// socketsOf is the socket that listens on an Address of Envoy; none if the address is no IP address with a port.
func socketsOf(address *yaml.Node) []reach.Socket {
	socket := at(address, "socket_address")
	ip, err := netip.ParseAddr(text(at(socket, "address")))
	port, err2 := strconv.ParseUint(text(at(socket, "port_value")), 10, 16)
	if err != nil || err2 != nil || port == 0 {
		return nil
	}
	return []reach.Socket{{Address: netip.AddrPortFrom(ip, uint16(port)), V6Only: text(at(socket, "ipv4_compat")) != "true"}}
}

// filterType is the type of a filter of Envoy.
func filterType(n *yaml.Node) string {
	config := at(n, "typed_config")
	if name := typeOf(config, "@type"); name != typedStructType && name != oldTypedStruct {
		return name
	}
	return typeOf(config, "type_url")
}

// staticClusters are the names of the clusters of a bootstrap that gets no others; nil for anything else.
func staticClusters(root *yaml.Node) map[string]bool {
	resources := at(root, "static_resources")
	if resources == nil || at(root, "dynamic_resources", "cds_config") != nil {
		return nil
	}
	names := map[string]bool{}
	for _, cluster := range elements(at(resources, "clusters")) {
		names[text(at(cluster, "name"))] = true
	}
	return names
}

// isBare tells whether a document is a FilterConfig or a RocketmqProxy and nothing else.
func isBare(root *yaml.Node) bool {
	for _, name := range []string{"rocketmq_proxy", "stat_prefix"} {
		if key, _ := member(root, name); key != nil && at(root, "filter_chains") == nil {
			return true
		}
	}
	return false
}
