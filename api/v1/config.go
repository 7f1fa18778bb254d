// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"net/netip"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Config is a checked FilterConfig with every default filled in. It is immutable.
type Config struct {
	// StatPrefix is the middle of each stat's name: rocketmq.<StatPrefix>.<name>.
	StatPrefix string
	// Clusters are at least one, unless Compatible is set; the first has what belongs to none in particular.
	Clusters []ClusterConfig
	// ClusterOf is the place in Clusters of the one that has a topic.
	ClusterOf func(topic string) int
	// Routes are what ClusterOf goes by.
	Routes     *routeconfig.Table
	Addressing AddressingConfig
	Limits     LimitsConfig
	Timeouts   TimeoutsConfig
	Policy     PolicyConfig
	// Compatible is set, and Clusters are none, where the config is that of Envoy's own rocketmq_proxy.
	Compatible *CompatibleConfig
	// RequestLog is nil where there is none.
	RequestLog *RequestLogConfig
	// Breakdown is nil where there is none.
	Breakdown *BreakdownConfig
	// Egress is the ip:port that the proxy's own connections go to first; empty: none.
	Egress string
}

// CompatibleConfig is what Envoy's own filter is configured with, and where the endpoints of its clusters are read.
type CompatibleConfig struct {
	Routes *routeconfig.Table
	// LifeSpan is how long an ack directive lives after its message was popped; 0 is no time at all.
	LifeSpan        time.Duration
	DevelopMode     bool
	AdminAddress    string // host:port or a path
	RefreshInterval time.Duration
}

// ClusterConfig names one RocketMQ cluster.
type ClusterConfig struct {
	Name            string
	NameServers     []string // host:port each, at least one
	RefreshInterval time.Duration
	Credentials     CredentialsConfig
	// BrokerNetworks are those in which brokers may be; none: any but the special ones.
	BrokerNetworks []netip.Prefix
}

// CredentialsConfig is an account of RocketMQ's ACL, or the File that has it; without either nothing is signed.
type CredentialsConfig struct {
	AccessKey, SecretKey, SecurityToken string
	File                                string
}

// PolicyConfig is what clients may do.
type PolicyConfig struct {
	ReadOnlyAdmin bool
	// Rules are in order: the first that matches decides.
	Rules       []RuleConfig
	DefaultDeny bool
	RateLimits  []RateLimitConfig
	Shadow      bool // of all but ReadOnlyAdmin
}

// RuleConfig allows or denies some requests.
type RuleConfig struct {
	Name   string
	Deny   bool
	Match  MatchConfig
	Shadow bool
}

// RateLimitConfig is a token bucket, or one for each value of a key.
type RateLimitConfig struct {
	Name     string
	Match    MatchConfig
	Key      RateLimit_Key
	Messages RateConfig
	Bytes    RateConfig
	Shadow   bool
	MaxKeys  int
}

// RateConfig is the size of a token bucket and how fast it fills. PerSecond 0 is no limit.
type RateConfig struct{ PerSecond, Burst int64 }

// RequestLogConfig is which requests are written to which file.
type RequestLogConfig struct {
	Path         string
	OneIn        int // 0: none
	AllErrors    bool
	SlowerThan   time.Duration // 0: no such threshold
	Connections  bool
	MaxFileBytes int
	MaxFiles     int
}

// OtherName is the name under which a breakdown counts all topics or groups that it does not list.
const OtherName = "_other"

// BreakdownConfig lists the topics and groups that are counted one by one.
type BreakdownConfig struct{ Topics, Groups []string }

// AddressingMode is how clients are kept on the proxy.
type AddressingMode uint8

// The addressing modes.
const (
	PerBrokerMode AddressingMode = iota + 1
	UnifiedMode
	TransparentMode
)

// AddressingConfig holds the rules of one mode.
type AddressingConfig struct {
	Mode AddressingMode
	// PassUncovered keeps the address of a broker that no rule covers, instead of leaving it out.
	PassUncovered bool
	// Brokers are the listeners of PerBrokerMode.
	Brokers []BrokerListenerConfig
	// Template is the rule of PerBrokerMode for brokers without an entry; nil: none.
	Template *BrokerTemplateConfig
	// AdvertisedAddress is what UnifiedMode tells clients; empty: the address the client dialled.
	AdvertisedAddress string
	// ClusterWideChanges lets changes for one broker, or for those of one cluster, go to all in UnifiedMode.
	ClusterWideChanges bool
}

// BrokerListenerConfig ties a local port and an advertised address to one broker.
type BrokerListenerConfig struct {
	BrokerName        string
	BrokerID          int64
	ListenerPort      uint16
	AdvertisedAddress string
	VIPChannelPort    uint16 // 0: none
}

// BrokerTemplateConfig makes ports and addresses from the number in a broker's name.
type BrokerTemplateConfig struct {
	AdvertisedHost     string
	AdvertisedBasePort int
	ListenerBasePort   int
	Numbers            int
	IDsPerBroker       int
}

// FrameLimits are the limits of one frame.
func (c *Config) FrameLimits() codec.Limits {
	return codec.Limits{MaxFrame: c.Limits.MaxFrameBytes, MaxHeader: c.Limits.MaxHeaderBytes, MaxFields: c.Limits.MaxFields}
}

// LimitsConfig bounds what clients and brokers can make the proxy hold; LimitTable describes each.
type LimitsConfig struct {
	MaxFrameBytes           int
	MaxHeaderBytes          int
	MaxFields               int
	MaxConnections          int
	MaxPendingRequests      int
	MaxTotalPendingRequests int
	MaxBufferedBytes        int
	MaxSessionBytes         int
	MaxTotalBytes           int
	MaxSourcePercent        int
	MaxUpstreamConnections  int
	MaxServerRequests       int
	MaxHeartbeatEntries     int
	MaxBrokers              int
	MaxTopics               int
	MaxLogLinesPerMinute    int
}

// TimeoutsConfig are the proxy's own deadlines.
type TimeoutsConfig struct {
	Connect       time.Duration
	Request       time.Duration
	Directory     time.Duration
	Handshake     time.Duration
	Frame         time.Duration
	UpstreamStall time.Duration
	Idle          time.Duration
	Send          time.Duration
	Short         time.Duration
}

// Of returns how long the answer to a request with this timeout may take.
func (t *TimeoutsConfig) Of(timeout requests.Timeout) time.Duration {
	if timeout.Fixed > 0 {
		return timeout.Fixed
	}
	switch timeout.Option {
	case requests.TimeoutsSend:
		return t.Send
	case requests.TimeoutsShort:
		return t.Short
	}
	return t.Request
}
