// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Limit describes one option of Limits or Timeouts: how it is checked, and what docs/LIMITS.md says of it.
type Limit struct {
	// Option is its path in a config.
	Option string
	// Default, Least and Most are numbers or, of a deadline, nanoseconds.
	Default, Least, Most int64
	// Bounds says what is bounded, Beyond what becomes of what is beyond.
	Bounds, Beyond string
	// Stats count what is beyond; names as in docs/STATS.md.
	Stats []string

	resolved func(*Config) any // *int or *time.Duration
}

// IsDeadline tells whether the option is a time.
func (l *Limit) IsDeadline() bool {
	_, is := l.resolved(&Config{}).(*time.Duration)
	return is
}

// Answers to what is beyond a limit.
const (
	closesConnection = "the connection is closed"
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
		"limits.max_buffered_bytes", 4 << 20, 1024, 1 << 30, "bytes of one client connection that wait for upstream connections to open",
		answersBusy + "; before the connection has opened it is closed",
		[]string{"request_over_limit", "downstream_refused"},
		func(c *Config) any { return &c.Limits.MaxBufferedBytes },
	},
	{
		"limits.max_session_bytes", 64 << 20, 64 << 10, 1<<32 - 1, "all bytes that are kept for one client connection", closesConnection,
		[]string{"memory_over_limit"},
		func(c *Config) any { return &c.Limits.MaxSessionBytes },
	},
	{
		"limits.max_total_bytes", 1 << 30, 64 << 10, 1 << 40, "all bytes that are kept, in all", "the connection that needs more is closed",
		[]string{"memory_over_limit"},
		func(c *Config) any { return &c.Limits.MaxTotalBytes },
	},
	{
		"limits.max_source_percent", 50, 10, 100, "percent of what other client addresses leave of max_connections, max_total_pending_requests and max_total_bytes, for one address",
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
		"limits.max_topics", 128 << 10, 1, 4 << 20, "topics of one cluster whose brokers are remembered", "routes pass; requests that name no broker are answered VERSION_NOT_SUPPORTED (15)",
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
		"timeouts.request", int64(15 * time.Second), int64(10 * time.Millisecond), int64(10 * time.Minute), "time for an answer (unified)", "answered SYSTEM_ERROR (1)",
		[]string{"request_expired"},
		func(c *Config) any { return &c.Timeouts.Request },
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
		"timeouts.idle", int64(5 * time.Minute), int64(time.Second), int64(24 * time.Hour), "time of a client connection without a byte either way while nothing waits", closesConnection,
		[]string{"downstream_timeout"},
		func(c *Config) any { return &c.Timeouts.Idle },
	},
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
				*resolved = c.duration(l.Option, value.Interface().(*durationpb.Duration), time.Duration(l.Default), time.Duration(l.Least), time.Duration(l.Most))
			}
		}
	}
	c.memory(config, m.GetLimits())
}

// memory resolves what depends on the size of a frame: two of them must have room beside each other.
func (c *checker) memory(config *Config, m *Limits) {
	l := &config.Limits
	if m.GetMaxSessionBytes() == nil {
		l.MaxSessionBytes = max(l.MaxSessionBytes, 4*l.MaxFrameBytes)
	}
	// One client address has room for a connection that keeps as much as it may.
	leastTotal := (100*l.MaxSessionBytes + l.MaxSourcePercent - 1) / l.MaxSourcePercent
	if m.GetMaxTotalBytes() == nil {
		l.MaxTotalBytes = max(l.MaxTotalBytes, 4*l.MaxSessionBytes, leastTotal)
	}
	if least := 2 * l.MaxFrameBytes; l.MaxSessionBytes < least {
		c.add("limits.max_session_bytes", "is %d; want at least %d, twice max_frame_bytes", l.MaxSessionBytes, least)
	}
	if l.MaxTotalBytes < leastTotal {
		c.add("limits.max_total_bytes", "is %d; want at least %d, of which max_source_percent is max_session_bytes", l.MaxTotalBytes, leastTotal)
	}
}

func (c *checker) limit(l *Limit, value protoreflect.Message) int64 {
	n := value.Get(value.Descriptor().Fields().ByName("value")).Uint()
	if n < uint64(l.Least) || n > uint64(l.Most) {
		c.add(l.Option, "is %d; want %d to %d", n, l.Least, l.Most)
		return l.Default
	}
	return int64(n)
}

// field gives the message at a path of two names, if it is set.
func field(m *FilterConfig, path string) (value protoreflect.Message, set bool) {
	group, name, _ := strings.Cut(path, ".")
	message := m.ProtoReflect()
	message = message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(group))).Message()
	descriptor := message.Descriptor().Fields().ByName(protoreflect.Name(name))
	return message.Get(descriptor).Message(), message.Has(descriptor)
}
