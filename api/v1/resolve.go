// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Resolve checks every field of m and fills defaults in. The error is an [Errors] with an entry for
// each bad field.
func Resolve(m *FilterConfig) (*Config, error) {
	c := checker{}
	c.rocketmqProxy(m.GetRocketmqProxy())
	config := &Config{
		StatPrefix: m.GetRocketmqProxy().GetStatPrefix(),
		Policy:     c.policy(m.GetPolicy()),
		RequestLog: c.requestLog(m.GetRequestLog()),
		Breakdown:  c.breakdown(m.GetBreakdown()),
	}
	c.limits(config, m)
	if routes := c.routes(m.GetRocketmqProxy().GetRouteConfig()); len(m.GetClusters()) == 0 && m.GetAddressing() == nil {
		c.compatible(config, m, routes)
	} else {
		c.own(config, m, routes)
	}
	if m.GetEgress() != nil {
		config.Egress = m.GetEgress().GetAddress()
		if _, err := netip.ParseAddrPort(config.Egress); err != nil {
			c.add("egress.address", "is %q; want IP:port", config.Egress)
		}
	}
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	return config, nil
}

// checker collects what is wrong.
type checker struct{ errors Errors }

func (c *checker) add(path, format string, args ...any) {
	c.errors = append(c.errors, FieldError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

// rocketmqProxy applies the checks that come with Envoy's message.
func (c *checker) rocketmqProxy(m *rocketmqproxy.RocketmqProxy) {
	if m == nil {
		c.add("rocketmq_proxy.stat_prefix", "is missing")
		return
	}
	rest := proto.CloneOf(m)
	rest.RouteConfig = nil // routes says more of it
	if err := rest.ValidateAll(); err != nil {
		c.generated("rocketmq_proxy", err)
	}
}

func (c *checker) routes(m *rocketmqproxy.RouteConfiguration) *routeconfig.Table {
	table, errors := routeconfig.Compile(m)
	for _, e := range errors {
		c.add("rocketmq_proxy.route_config."+e.Path, "%s", e.Problem)
	}
	return table
}

// own resolves what has this filter's own options.
func (c *checker) own(config *Config, m *FilterConfig, routes *routeconfig.Table) {
	config.Clusters = c.clusters(m.GetClusters())
	config.Addressing = c.addressing(m.GetAddressing())
	config.ClusterOf = c.clusterOf(config, m.GetRocketmqProxy().GetRouteConfig(), routes)
	config.Routes = routes
	if m.GetRocketmqProxy().GetDevelopMode() {
		c.add("rocketmq_proxy.develop_mode", "is true; with clusters, `addressing` says what clients are told")
	}
	if m.GetRocketmqProxy().GetTransientObjectLifeSpan() != nil {
		c.add("rocketmq_proxy.transient_object_life_span", "is set; with clusters there are no ack directives")
	}
	if m.GetEnvoyAdmin() != nil {
		c.add("envoy_admin", "is set; with clusters nothing is read there")
	}
}

// DefaultAdminAddress is where Envoy's admin interface is unless the config says otherwise: as in Envoy's examples. Istio's
// proxy has 127.0.0.1:15000.
const DefaultAdminAddress = "127.0.0.1:9901"

// defaultLifeSpan is that of Envoy's filter.
const defaultLifeSpan = 30 * time.Second

// compatible resolves what is configured as Envoy's own filter.
func (c *checker) compatible(config *Config, m *FilterConfig, routes *routeconfig.Table) {
	config.Addressing.Mode = UnifiedMode // one address for everything
	config.Compatible = &CompatibleConfig{
		Routes:          routes,
		DevelopMode:     m.GetRocketmqProxy().GetDevelopMode(),
		LifeSpan:        c.duration("rocketmq_proxy.transient_object_life_span", m.GetRocketmqProxy().GetTransientObjectLifeSpan(), defaultLifeSpan, 0, math.MaxInt64),
		AdminAddress:    DefaultAdminAddress,
		RefreshInterval: c.duration("envoy_admin.refresh_interval", m.GetEnvoyAdmin().GetRefreshInterval(), 5*time.Second, time.Second, time.Hour),
	}
	if address := m.GetEnvoyAdmin().GetAddress(); strings.HasPrefix(address, "/") || strings.HasPrefix(address, "@") {
		config.Compatible.AdminAddress = address
	} else if address != "" && c.hostPort("envoy_admin.address", address) {
		config.Compatible.AdminAddress = address
	}
}

// generated turns the errors of generated validation code into ours, field by field.
func (c *checker) generated(path string, err error) {
	if all, ok := err.(interface{ AllErrors() []error }); ok {
		for _, e := range all.AllErrors() {
			c.generated(path, e)
		}
		return
	}
	field, ok := err.(interface {
		Field() string
		Reason() string
		Cause() error
	})
	if !ok {
		c.add(path, "is invalid: %v", err)
		return
	}
	path += "." + snakeCase(field.Field())
	if field.Cause() != nil {
		c.generated(path, field.Cause())
		return
	}
	c.add(path, "is invalid: %s", field.Reason())
}

// snakeCase turns the generated code's "RouteConfig" into the "route_config" that a user writes.
func snakeCase(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && name[i-1] != '_' && name[i-1] != '[' {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (c *checker) addressing(m *Addressing) AddressingConfig {
	config := AddressingConfig{PassUncovered: m.GetUncovered() == Addressing_PASS}
	if _, ok := Addressing_Uncovered_name[int32(m.GetUncovered())]; !ok {
		c.add("addressing.uncovered", "is %d; want DROP or PASS", m.GetUncovered())
	}
	switch mode := m.GetMode().(type) {
	case *Addressing_PerBroker:
		config.Mode = PerBrokerMode
		config.Template = c.template(mode.PerBroker.GetTemplate())
		config.Brokers = c.brokers(mode.PerBroker.GetBrokers(), config.Template)
	case *Addressing_Unified:
		config.Mode = UnifiedMode
		config.AdvertisedAddress = mode.Unified.GetAdvertisedAddress()
		config.ClusterWideChanges = mode.Unified.GetAllowClusterWideChanges()
		if config.AdvertisedAddress != "" {
			c.hostPort("addressing.unified.advertised_address", config.AdvertisedAddress)
		}
	case *Addressing_Transparent:
		config.Mode = TransparentMode
	default:
		c.add("addressing", "names no mode; want per_broker, unified or transparent")
	}
	return config
}

func (c *checker) template(m *BrokerTemplate) *BrokerTemplateConfig {
	const path = "addressing.per_broker.template"
	if m == nil {
		return nil
	}
	t := &BrokerTemplateConfig{
		AdvertisedHost:     m.GetAdvertisedHost(),
		AdvertisedBasePort: int(m.GetAdvertisedBasePort()),
		ListenerBasePort:   int(m.GetListenerBasePort()),
		Numbers:            int(m.GetNumbers()),
		IDsPerBroker:       max(int(m.GetIdsPerBroker()), 1),
	}
	if t.AdvertisedHost == "" || strings.ContainsAny(t.AdvertisedHost, " /\"\\,;:") {
		c.add(path+".advertised_host", "is %q; want a host name, in which {cluster}, {broker}, {id} and {number} are replaced", t.AdvertisedHost)
	}
	for _, placeholder := range regexp.MustCompile(`\{[^}]*\}?`).FindAllString(t.AdvertisedHost, -1) {
		if !slices.Contains([]string{"{cluster}", "{broker}", "{id}", "{number}"}, placeholder) {
			c.add(path+".advertised_host", "has %s; want {cluster}, {broker}, {id} or {number}", placeholder)
		}
	}
	if t.Numbers < 1 || t.Numbers > 65535 {
		c.add(path+".numbers", "is %d; want 1 to 65535", t.Numbers)
	}
	if t.IDsPerBroker > 65535 {
		c.add(path+".ids_per_broker", "is %d; want 1 to 65535", t.IDsPerBroker)
	}
	ports := t.Numbers * t.IDsPerBroker
	for _, base := range []struct {
		name string
		port int
	}{{"advertised_base_port", t.AdvertisedBasePort}, {"listener_base_port", t.ListenerBasePort}} {
		if base.port < 1 || base.port > 65535 {
			c.add(path+"."+base.name, "is %d; want 1 to 65535", base.port)
		} else if base.port+ports-1 > 65535 {
			c.add(path+"."+base.name, "is %d; with %d ports the last is %d, want at most 65535", base.port, ports, base.port+ports-1)
		}
	}
	return t
}

func (c *checker) brokers(all []*BrokerListener, template *BrokerTemplateConfig) []BrokerListenerConfig {
	const list = "addressing.per_broker.brokers"
	if len(all) == 0 && template == nil {
		c.add(list, "is empty, and there is no template; want an entry for each broker")
	}
	type broker struct {
		name string
		id   uint64
	}
	seenBroker, seenPort, seenAddress := map[broker]int{}, map[uint32]int{}, map[string]int{}
	configs := make([]BrokerListenerConfig, 0, len(all))
	for i, m := range all {
		path := fmt.Sprintf("%s[%d]", list, i)
		if m.GetBrokerName() == "" {
			c.add(path+".broker_name", "is empty")
		} else if first, ok := seenBroker[broker{m.GetBrokerName(), m.GetBrokerId()}]; ok {
			c.add(path, "repeats broker %q with id %d of %s[%d]", m.GetBrokerName(), m.GetBrokerId(), list, first)
		}
		seenBroker[broker{m.GetBrokerName(), m.GetBrokerId()}] = i
		if m.GetBrokerId() > math.MaxInt64 {
			c.add(path+".broker_id", "is %d; want at most %d", m.GetBrokerId(), int64(math.MaxInt64))
		}
		port := func(name string, port uint32) {
			if port < 1 || port > 65535 {
				c.add(path+name, "is %d; want 1 to 65535", port)
			} else if first, ok := seenPort[port]; ok {
				c.add(path+name, "is %d, which %s[%d] has already", port, list, first)
			}
			seenPort[port] = i
		}
		port(".listener_port", m.GetListenerPort())
		if m.GetVipChannelPort() != 0 {
			port(".vip_channel_port", m.GetVipChannelPort())
		}
		if c.hostPort(path+".advertised_address", m.GetAdvertisedAddress()) {
			if first, ok := seenAddress[m.GetAdvertisedAddress()]; ok {
				c.add(path+".advertised_address", "is %q, which %s[%d] has already", m.GetAdvertisedAddress(), list, first)
			}
			seenAddress[m.GetAdvertisedAddress()] = i
		}
		configs = append(configs, BrokerListenerConfig{
			BrokerName:        m.GetBrokerName(),
			BrokerID:          int64(m.GetBrokerId()),
			ListenerPort:      uint16(m.GetListenerPort()),
			AdvertisedAddress: m.GetAdvertisedAddress(),
			VIPChannelPort:    uint16(m.GetVipChannelPort()),
		})
	}
	return configs
}

func (c *checker) requestLog(m *RequestLog) *RequestLogConfig {
	const path = "request_log."
	if m == nil {
		return nil
	}
	if !filepath.IsAbs(m.GetPath()) {
		c.add(path+"path", "is %q; want an absolute path", m.GetPath())
	}
	return &RequestLogConfig{
		Path:         m.GetPath(),
		OneIn:        c.number(path+"one_in", m.GetOneIn(), 1, 0, 1_000_000),
		AllErrors:    m.GetAllErrors(),
		SlowerThan:   c.duration(path+"slower_than", m.GetSlowerThan(), 0, time.Millisecond, time.Hour),
		Connections:  m.GetConnections(),
		MaxFileBytes: c.number(path+"max_file_bytes", m.GetMaxFileBytes(), 100<<20, 64<<10, math.MaxUint32),
		MaxFiles:     c.number(path+"max_files", m.GetMaxFiles(), 5, 1, 100),
	}
}

func (c *checker) breakdown(m *Breakdown) *BreakdownConfig {
	if m == nil {
		return nil
	}
	c.resources("breakdown.topics", m.GetTopics())
	c.resources("breakdown.groups", m.GetGroups())
	return &BreakdownConfig{Topics: m.GetTopics(), Groups: m.GetGroups()}
}

// resourceName matches what topics and groups may be called (Java: TopicValidator, Validators).
var resourceName = regexp.MustCompile(fmt.Sprintf(`^[%%|A-Za-z0-9_-]{1,%d}$`, codec.MaxGroupName))

const maxBreakdown = 1000

func (c *checker) resources(path string, names []string) {
	if len(names) > maxBreakdown {
		c.add(path, "has %d entries; want at most %d", len(names), maxBreakdown)
		return
	}
	seen := map[string]int{}
	for i, name := range names {
		if first, ok := seen[name]; ok {
			c.add(fmt.Sprintf("%s[%d]", path, i), "is %q, which %s[%d] has already", name, path, first)
		}
		seen[name] = i
		if !resourceName.MatchString(name) || name == OtherName {
			c.add(fmt.Sprintf("%s[%d]", path, i), "is %q; want 1 to %d of A-Z a-z 0-9 %% | _ -, and not %s", name, codec.MaxGroupName, OtherName)
		}
	}
}

// number returns a checked number, fallback if there is none.
func (c *checker) number(path string, value *wrapperspb.UInt32Value, fallback, minimum, maximum int) int {
	if value == nil {
		return fallback
	}
	n := int(value.GetValue())
	if n < minimum || n > maximum {
		c.add(path, "is %d; want %d to %d", n, minimum, maximum)
	}
	return n
}

// duration returns a checked duration, fallback if there is none or it cannot be read.
func (c *checker) duration(path string, value *durationpb.Duration, fallback, minimum, maximum time.Duration) time.Duration {
	if value == nil {
		return fallback
	}
	if err := value.CheckValid(); err != nil {
		c.add(path, "is not a duration: %v", err)
		return fallback
	}
	d := value.AsDuration()
	if d < minimum || d > maximum {
		c.add(path, "is %v; want %v to %v", d, minimum, maximum)
	}
	return d
}

// hostName is what a host may be made of: a name, an IPv4 or an IPv6 address.
var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]+$|^[0-9A-Fa-f:.]+$`)

// hostPort checks the form host:port, or [v6]:port, of an address that can be dialled.
func (c *checker) hostPort(path, value string) bool {
	host, port, err := net.SplitHostPort(value)
	if err == nil && hostName.MatchString(host) && !net.ParseIP(host).IsUnspecified() {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			return true
		}
	}
	c.add(path, "is %q; want host:port", value)
	return false
}
