// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Limit describes one option of Limits or Timeouts: how it is checked, and what docs/LIMITS.md says of it.
type Limit struct {
	// Option is its path in a config.
	Option string
	// Default, Min and Max are numbers or, of a deadline, nanoseconds.
	Default, Min, Max int64
	// Bounds says what is bounded, Excess what happens when the limit is exceeded.
	Bounds, Excess string
	// Stats count how often the limit is exceeded; names as in docs/STATS.md.
	Stats []string

	resolved func(*Config) any // *int or *time.Duration
}

// IsDeadline reports whether the option is a time.
func (l *Limit) IsDeadline() bool {
	_, is := l.resolved(&Config{}).(*time.Duration)
	return is
}

// What happens when a limit is exceeded.
const (
	closesConnection = "the connection is closed"
	busyIfWaiting    = "; a request that would wait for its broker is answered SYSTEM_BUSY (2) instead (unified)"
	answersBusy      = "answered SYSTEM_BUSY (2)"
)

// DefaultMaxConnections is the default of limits.max_connections where the process may open files enough.
const DefaultMaxConnections = 128 << 10

// LimitTable has every field of Limits and Timeouts.
var LimitTable = []Limit{
	{
		"limits.max_frame_bytes", 16 << 20, 29, 1 << 30, "a whole frame, its length word included", closesConnection,
		[]string{"frame_error.frame_too_large"},
		func(c *Config) any { return &c.Limits.MaxFrameBytes },
	},
	{
		"limits.max_header_bytes", 256 << 10, 21, 1<<24 - 1, "the header of a frame", closesConnection,
		[]string{"frame_error.header_too_large"},
		func(c *Config) any { return &c.Limits.MaxHeaderBytes },
	},
	{
		"limits.max_fields", 1024, 16, 1024, "extFields of one header", closesConnection,
		[]string{"frame_error.too_many_fields"},
		func(c *Config) any { return &c.Limits.MaxFields },
	},
	{
		"limits.max_connections", DefaultMaxConnections, 1, 1 << 24, "client connections in all", "closed at once",
		[]string{"downstream_over_limit"},
		func(c *Config) any { return &c.Limits.MaxConnections },
	},
	{
		"limits.max_pending_requests", 8192, 1, 1 << 20, "requests of one client connection that wait for an answer", answersBusy,
		[]string{"request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxPendingRequests },
	},
	{
		"limits.max_total_pending_requests", 256 << 10, 1, 1 << 24, "requests that wait for an answer in all", answersBusy,
		[]string{"request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxTotalPendingRequests },
	},
	{
		"limits.max_buffered_bytes", 16 << 20, 64 << 10, 256 << 20, "bytes of one client connection that wait for upstream connections to open; a frame that comes below it passes, whatever its size",
		answersBusy + "; before the connection has opened, and with max_frame_bytes more, it is closed",
		[]string{"request_over_limit", "downstream_refused"},
		func(c *Config) any { return &c.Limits.MaxBufferedBytes },
	},
	{
		"limits.max_session_bytes", 96 << 20, 256 << 10, 1<<32 - 1, "all bytes that are kept for one client connection", closesConnection + busyIfWaiting,
		[]string{"memory_over_limit", "request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxSessionBytes },
	},
	{
		"limits.max_total_bytes", 1 << 30, 256 << 10, 1 << 40, "all bytes that are kept, in all", "the connection that needs more is closed" + busyIfWaiting,
		[]string{"memory_over_limit", "request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxTotalBytes },
	},
	{
		"limits.max_source_percent", 50, 10, 100, "percent of what other client addresses leave of max_connections, max_total_pending_requests, max_total_bytes and the files of the process, for one address",
		"as beyond the whole of it",
		[]string{"source_over_limit"},
		func(c *Config) any { return &c.Limits.MaxSourcePercent },
	},
	{
		"limits.max_upstream_connections", 256, 1, 4096, "upstream connections of one client connection", answersBusy,
		[]string{"request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxUpstreamConnections },
	},
	{
		"limits.max_server_requests", 1024, 1, 65536, "requests of brokers that a client has not answered (unified)", "dropped; the broker asks again",
		[]string{"server_request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxServerRequests },
	},
	{
		"limits.max_heartbeat_entries", 16 << 10, 1, 65536, "groups and subscriptions in one heartbeat (unified)", answersBusy,
		[]string{"request_over_limit"},
		func(c *Config) any { return &c.Limits.MaxHeartbeatEntries },
	},
	{
		"limits.max_brokers", 16 << 10, 1, 65536, "brokers of one cluster whose addresses are remembered", "not known: requests for them are answered SERVICE_NOT_AVAILABLE (14)",
		[]string{"directory_over_limit", "broker_unknown"},
		func(c *Config) any { return &c.Limits.MaxBrokers },
	},
	{
		"limits.max_topics", 128 << 10, 1, 4 << 20, "topics of one cluster whose brokers are remembered", "those that were not used for longest are forgotten; the half that was used last stays. Requests for a forgotten one that name no broker are answered VERSION_NOT_SUPPORTED (15) until its next route",
		[]string{"directory_over_limit"},
		func(c *Config) any { return &c.Limits.MaxTopics },
	},
	{
		"limits.max_log_lines_per_minute", 60, 0, 60_000, "lines that connections cause in Envoy's log, in a minute", "not written",
		[]string{"log_suppressed"},
		func(c *Config) any { return &c.Limits.MaxLogLinesPerMinute },
	},
	{
		"timeouts.connect", int64(2500 * time.Millisecond), int64(10 * time.Millisecond), int64(time.Minute), "time for an upstream connection to open (terminal sessions)",
		"what waits for it is answered SERVICE_NOT_AVAILABLE (14); a connection that stands for one broker is closed",
		[]string{"upstream_connect_failure"},
		func(c *Config) any { return &c.Timeouts.Connect },
	},
	{
		"timeouts.request", int64(15 * time.Second), int64(10 * time.Millisecond), int64(10 * time.Minute), "time for the answer to a request that has no other deadline (unified)", "answered SYSTEM_ERROR (1)",
		[]string{"request_expired"},
		func(c *Config) any { return &c.Timeouts.Request },
	},
	{
		"timeouts.send", int64(2900 * time.Millisecond), int64(10 * time.Millisecond), int64(10 * time.Minute), "time for the answer to a send (unified)", "answered SYSTEM_ERROR (1)",
		[]string{"request_expired", "send_answered_late"},
		func(c *Config) any { return &c.Timeouts.Send },
	},
	{
		"timeouts.short", int64(2500 * time.Millisecond), int64(10 * time.Millisecond), int64(10 * time.Minute), "time for the answer to a request that clients wait 3 s for (unified)", "answered SYSTEM_ERROR (1)",
		[]string{"request_expired"},
		func(c *Config) any { return &c.Timeouts.Short },
	},
	{
		"timeouts.directory", int64(2 * time.Second), int64(10 * time.Millisecond), int64(10 * time.Second), "how long a new connection waits for the address of its broker", closesConnection,
		[]string{"downstream_refused", "broker_unknown"},
		func(c *Config) any { return &c.Timeouts.Directory },
	},
	{
		"timeouts.handshake", int64(2 * time.Minute), int64(100 * time.Millisecond), int64(10 * time.Minute), "time for the first frame of a connection to come", closesConnection,
		[]string{"downstream_timeout"},
		func(c *Config) any { return &c.Timeouts.Handshake },
	},
	{
		"timeouts.frame", int64(time.Minute), int64(100 * time.Millisecond), int64(time.Hour), "time for a client's frame to come until it can be judged", closesConnection,
		[]string{"downstream_timeout"},
		func(c *Config) any { return &c.Timeouts.Frame },
	},
	{
		"timeouts.upstream_stall", int64(5 * time.Minute), int64(time.Second), int64(time.Hour), "time for the next byte of a broker's frame that cannot be judged yet", "the broker's connection is closed; what waits for it is answered SYSTEM_ERROR (1)",
		[]string{"upstream_timeout"},
		func(c *Config) any { return &c.Timeouts.UpstreamStall },
	},
	{
		"timeouts.idle", int64(5 * time.Minute), int64(time.Second), int64(24 * time.Hour), "time of a client connection without a byte either way while nothing waits, or without reading the answers it was sent", closesConnection,
		[]string{"downstream_timeout"},
		func(c *Config) any { return &c.Timeouts.Idle },
	},
}

// limitOf is the row of an option.
func limitOf(option string) *Limit {
	for i := range LimitTable {
		if LimitTable[i].Option == option {
			return &LimitTable[i]
		}
	}
	panic("no limit " + option)
}

// limits resolves Limits and Timeouts.
func (c *checker) limits(config *Config, m *FilterConfig) {
	for i := range LimitTable {
		l := &LimitTable[i]
		value, set := field(m, l.Option)
		switch resolved := l.resolved(config).(type) {
		case *int:
			*resolved = int(l.Default)
			if set {
				*resolved = int(c.limit(l, value))
			}
		case *time.Duration:
			*resolved = time.Duration(l.Default)
			if set {
				*resolved = c.duration(l.Option, value.Interface().(*durationpb.Duration), time.Duration(l.Default), time.Duration(l.Min), time.Duration(l.Max))
			}
		}
	}
	c.related(config, m.GetLimits())
}

// related has limits follow from those that they depend on where the config does not set them, and refuses what
// contradicts another: a limit that could never be reached, or a frame within max_frame_bytes that would not fit.
func (c *checker) related(config *Config, m *Limits) {
	l := &config.Limits

	if m.GetMaxFrameBytes() == nil {
		l.MaxFrameBytes = max(l.MaxFrameBytes, l.MaxHeaderBytes+codec.PrefixSize)
	}
	if m.GetMaxHeaderBytes() == nil {
		l.MaxHeaderBytes = min(l.MaxHeaderBytes, l.MaxFrameBytes-codec.PrefixSize)
	}
	c.atLeast("limits.max_frame_bytes", l.MaxFrameBytes, l.MaxHeaderBytes+codec.PrefixSize, "max_header_bytes and 8 for what is in front")

	// What one client address may take of the totals has room for one connection that takes all it may.
	percent := l.MaxSourcePercent
	if m.GetMaxTotalPendingRequests() == nil {
		l.MaxTotalPendingRequests = max(l.MaxTotalPendingRequests, whole(l.MaxPendingRequests, percent))
	}
	if m.GetMaxPendingRequests() == nil {
		l.MaxPendingRequests = min(l.MaxPendingRequests, max(l.MaxTotalPendingRequests*percent/100, 1))
	}
	if l.MaxPendingRequests > 1 { // one always fits
		c.atLeast("limits.max_total_pending_requests", l.MaxTotalPendingRequests, whole(l.MaxPendingRequests, percent), "of which max_source_percent is max_pending_requests")
	}

	// A session may have a frame that is being received, and a frame more than max_buffered_bytes that wait: twice, while
	// they pass from one place to another, in memory that has grown with them.
	maxSession := limitOf("limits.max_session_bytes").Max
	if m.GetMaxTotalBytes() != nil {
		maxSession = int64(l.MaxTotalBytes * percent / 100)
	}
	if m.GetMaxSessionBytes() != nil {
		maxSession = int64(l.MaxSessionBytes)
	}
	if m.GetMaxBufferedBytes() == nil {
		l.MaxBufferedBytes = min(l.MaxBufferedBytes, max(int(maxSession)/3-l.MaxFrameBytes, int(limitOf("limits.max_buffered_bytes").Min)))
	}
	minSession := 3 * (l.MaxFrameBytes + l.MaxBufferedBytes)
	if m.GetMaxSessionBytes() == nil {
		l.MaxSessionBytes = max(min(l.MaxSessionBytes, int(maxSession)), minSession)
	}
	c.atLeast("limits.max_session_bytes", l.MaxSessionBytes, minSession, "three times max_frame_bytes and max_buffered_bytes together")

	minTotal := whole(l.MaxSessionBytes, percent)
	if m.GetMaxTotalBytes() == nil {
		l.MaxTotalBytes = max(l.MaxTotalBytes, 4*l.MaxSessionBytes, minTotal)
	}
	c.atLeast("limits.max_total_bytes", l.MaxTotalBytes, minTotal, "of which max_source_percent is max_session_bytes")
}

// whole returns the smallest number of which `percent` is n.
func whole(n, percent int) int { return (100*n + percent - 1) / percent }

// atLeast refuses an option that is too small beside others.
func (c *checker) atLeast(option string, n, minimum int, why string) {
	if n < minimum {
		c.add(option, "is %d; want at least %d, %s", n, minimum, why)
	}
}

func (c *checker) limit(l *Limit, value protoreflect.Message) int64 {
	n := value.Get(value.Descriptor().Fields().ByName("value")).Uint()
	if n < uint64(l.Min) || n > uint64(l.Max) {
		c.add(l.Option, "is %d; want %d to %d", n, l.Min, l.Max)
		return l.Default
	}
	return int64(n)
}

// field returns the message at a path of two names, if it is set.
func field(m *FilterConfig, path string) (value protoreflect.Message, set bool) {
	group, name, _ := strings.Cut(path, ".")
	message := m.ProtoReflect()
	message = message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(group))).Message()
	descriptor := message.Descriptor().Fields().ByName(protoreflect.Name(name))
	return message.Get(descriptor).Message(), message.Has(descriptor)
}
