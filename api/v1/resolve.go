// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Resolve checks every field of m and fills defaults in. The error is an [Errors] with an entry for
// each bad field.
func Resolve(m *FilterConfig) (*Config, error) {
	c := checker{}
	c.rocketmqProxy(m.GetRocketmqProxy())
	config := &Config{
		StatPrefix: m.GetRocketmqProxy().GetStatPrefix(),
		Cluster:    c.clusters(m.GetClusters()),
		Addressing: c.addressing(m.GetAddressing()),
		Limits:     c.limits(m.GetLimits()),
		Timeouts:   c.timeouts(m.GetTimeouts()),
		Policy:     PolicyConfig{ReadOnlyAdmin: m.GetPolicy().GetReadOnlyAdmin()},
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
		c.add("rocketmq_proxy", "is missing")
		return
	}
	if err := m.ValidateAll(); err != nil {
		c.generated("rocketmq_proxy", err)
	}
	if m.GetRouteConfig() != nil {
		c.add("rocketmq_proxy.route_config", "is set; this version does not route by it")
	}
	if m.GetDevelopMode() {
		c.add("rocketmq_proxy.develop_mode", "is true; this version does not have it")
	}
	if m.GetTransientObjectLifeSpan() != nil {
		c.add("rocketmq_proxy.transient_object_life_span", "is set; this version keeps no ack directives")
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

func (c *checker) clusters(all []*Cluster) ClusterConfig {
	if len(all) != 1 {
		c.add("clusters", "has %d entries; want exactly 1", len(all))
	}
	var first ClusterConfig
	for i, m := range all {
		path := fmt.Sprintf("clusters[%d]", i)
		config := ClusterConfig{
			Name:            m.GetName(),
			NameServers:     m.GetNameServers(),
			RefreshInterval: c.duration(path+".refresh_interval", m.GetRefreshInterval(), 30*time.Second, time.Second, time.Hour),
			Credentials:     c.credentials(path+".credentials", m.GetCredentials()),
		}
		if config.Name == "" {
			c.add(path+".name", "is empty")
		}
		if len(config.NameServers) == 0 {
			c.add(path+".name_servers", "is empty; want host:port of at least one name server")
		}
		for j, address := range config.NameServers {
			field := fmt.Sprintf("%s.name_servers[%d]", path, j)
			if c.hostPort(field, address) && slices.Index(config.NameServers, address) < j {
				c.add(field, "repeats %q", address)
			}
		}
		if i == 0 {
			first = config
		}
	}
	return first
}

func (c *checker) credentials(path string, m *Credentials) CredentialsConfig {
	if m != nil && m.GetAccessKey() == "" {
		c.add(path+".access_key", "is empty")
	}
	if m != nil && m.GetSecretKey() == "" {
		c.add(path+".secret_key", "is empty")
	}
	return CredentialsConfig{AccessKey: m.GetAccessKey(), SecretKey: m.GetSecretKey(), SecurityToken: m.GetSecurityToken()}
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

func (c *checker) limits(m *Limits) LimitsConfig {
	const path = "limits."
	return LimitsConfig{
		MaxFrameBytes:          c.number(path+"max_frame_bytes", m.GetMaxFrameBytes(), 16<<20, 29, 1<<30),
		MaxHeaderBytes:         c.number(path+"max_header_bytes", m.GetMaxHeaderBytes(), 256<<10, 21, 1<<24-1),
		MaxPendingRequests:     c.number(path+"max_pending_requests", m.GetMaxPendingRequests(), 8192, 1, 1<<20),
		MaxBufferedBytes:       c.number(path+"max_buffered_bytes", m.GetMaxBufferedBytes(), 4<<20, 1024, 1<<30),
		MaxUpstreamConnections: c.number(path+"max_upstream_connections", m.GetMaxUpstreamConnections(), 256, 1, 4096),
	}
}

func (c *checker) timeouts(m *Timeouts) TimeoutsConfig {
	const path = "timeouts."
	return TimeoutsConfig{
		Connect:   c.duration(path+"connect", m.GetConnect(), 2500*time.Millisecond, 10*time.Millisecond, time.Minute),
		Request:   c.duration(path+"request", m.GetRequest(), 15*time.Second, 10*time.Millisecond, 10*time.Minute),
		Directory: c.duration(path+"directory", m.GetDirectory(), 2*time.Second, 10*time.Millisecond, 10*time.Second),
	}
}

func (c *checker) number(path string, value *wrapperspb.UInt32Value, otherwise, least, most int) int {
	if value == nil {
		return otherwise
	}
	n := int(value.GetValue())
	if n < least || n > most {
		c.add(path, "is %d; want %d to %d", n, least, most)
	}
	return n
}

func (c *checker) duration(path string, value *durationpb.Duration, otherwise, least, most time.Duration) time.Duration {
	if value == nil {
		return otherwise
	}
	if err := value.CheckValid(); err != nil {
		c.add(path, "is not a duration: %v", err)
		return otherwise
	}
	d := value.AsDuration()
	if d < least || d > most {
		c.add(path, "is %v; want %v to %v", d, least, most)
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
