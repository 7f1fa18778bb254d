// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"slices"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Kind is what a stat is to Envoy.
type Kind uint8

// The kinds, numbered as in Envoy's Golang metrics ABI.
const (
	Counter Kind = iota
	Gauge
	Histogram
)

func (k Kind) String() string {
	return [...]string{"counter", "gauge", "histogram"}[k]
}

// ID is a row of Table.
type ID int

// The stats. The first group has the names and meanings of Envoy's own rocketmq_proxy filter.
const (
	Request ID = iota
	RequestDecodingError
	RequestDecodingSuccess
	Response
	ResponseDecodingError
	ResponseDecodingSuccess
	ResponseError
	ResponseSuccess
	Heartbeat
	Unregister
	GetConsumerList
	GetTopicRoute
	SendMessageV1
	SendMessageV2
	PopMessage
	AckMessage
	MaintenanceFailure
	RequestActive
	SendMessageV1Active
	SendMessageV2Active
	PopMessageActive
	GetTopicRouteActive
	SendMessagePending
	PopMessagePending
	GetTopicRoutePending
	TotalPending
	RequestTimeMs

	LongPollTimeMs
	RequestOneway
	RequestRefused
	RequestExpired
	RequestCancelled
	RequestOverLimit
	RequestOpaqueReused
	RequestUnknownCode
	PolicyDenied
	PolicyLimited
	PolicyShadowDenied
	PolicyShadowLimited
	PolicyOnewayDropped
	PolicyKeysFull
	RequestLogWritten
	RequestLogDropped
	RequestLogFailure
	ResponseUnexpected
	SendAnsweredLate
	ServerRequest
	ServerRequestExpired
	ClientResponse
	ServerRequestOverLimit
	ClientResponseUnexpected
	RouteAddressRewritten
	RouteAddressUncovered
	RouteUnreadable
	PopUnreadable
	BrokerNameClash
	BrokerUnknown
	ClusterUnusable
	ClusterOverflow
	BrokerIsSelf
	BrokerOutsideNetworks
	HeartbeatFanOut
	HeartbeatRepeated
	HeartbeatReplayed
	ConsumerNamedTwice
	DownstreamActive
	DownstreamRefused
	DownstreamOverLimit
	DownstreamTimeout
	DownstreamFull
	SourceActive
	SourceOverLimit
	UpstreamActive
	UpstreamConnect
	UpstreamConnectFailure
	UpstreamLost
	UpstreamGoAway
	UpstreamSilent
	DestinationMoved
	UpstreamTimeout
	UpstreamFull
	MemoryKept
	MemoryOverLimit
	DirectoryRefresh
	DirectoryRefreshFailure
	DirectoryStale
	DirectoryOverLimit
	NameServerCopyFailure
	Panic
	BuildInfo
	GoGoroutines
	GoHeapBytes
	LogSuppressed

	// Rows of their own for each FrameErrorKind and each known RequestCode follow.
	firstGenerated
)

// Signal says whether somebody should look when a stat moves.
type Signal uint8

// The signals. Activity moves with traffic. Trouble stands still, or is a gauge at 0, while all is well:
// `rocketmq-proxyctl top` shows what of it does not, and the dashboard has all of it.
const (
	Activity Signal = iota
	Trouble
)

// Def describes one stat.
type Def struct {
	Kind   Kind
	Signal Signal
	// Name follows rocketmq.<stat_prefix>.
	Name string
	// Meaning says when it moves.
	Meaning string
}

// Table lists every stat, by ID.
var Table = append([]Def{
	Request:                 {Counter, Activity, "request", "frames from clients, undecodable ones included"},
	RequestDecodingError:    {Counter, Trouble, "request_decoding_error", "frames from clients that could not be decoded; each closes its connection"},
	RequestDecodingSuccess:  {Counter, Activity, "request_decoding_success", "frames from clients that were decoded, unknown codes included"},
	Response:                {Counter, Activity, "response", "answers from brokers and name servers, undecodable ones included"},
	ResponseDecodingError:   {Counter, Trouble, "response_decoding_error", "frames from upstream that could not be decoded; each closes its upstream connection"},
	ResponseDecodingSuccess: {Counter, Activity, "response_decoding_success", "answers from upstream that were decoded"},
	ResponseError:           {Counter, Trouble, "response_error", "requests that ended without an answer from upstream: upstream lost, deadline passed, client gone"},
	ResponseSuccess:         {Counter, Activity, "response_success", "requests whose answer from upstream went to the client, whatever its code"},
	Heartbeat:               {Counter, Activity, "heartbeat", "HEART_BEAT requests"},
	Unregister:              {Counter, Activity, "unregister", "UNREGISTER_CLIENT requests"},
	GetConsumerList:         {Counter, Activity, "get_consumer_list", "GET_CONSUMER_LIST_BY_GROUP requests"},
	GetTopicRoute:           {Counter, Activity, "get_topic_route", "GET_ROUTEINFO_BY_TOPIC requests"},
	SendMessageV1:           {Counter, Activity, "send_message_v1", "SEND_MESSAGE requests"},
	SendMessageV2:           {Counter, Activity, "send_message_v2", "SEND_MESSAGE_V2 requests"},
	PopMessage:              {Counter, Activity, "pop_message", "POP_MESSAGE requests"},
	AckMessage:              {Counter, Activity, "ack_message", "ACK_MESSAGE requests"},
	MaintenanceFailure:      {Counter, Trouble, "maintenance_failure", "requests refused because their cluster is in maintenance mode (compatible configs)"},
	RequestActive:           {Gauge, Activity, "request_active", "requests that wait for their answer"},
	SendMessageV1Active:     {Gauge, Activity, "send_message_v1_active", "SEND_MESSAGE requests that wait for their answer"},
	SendMessageV2Active:     {Gauge, Activity, "send_message_v2_active", "SEND_MESSAGE_V2 requests that wait for their answer"},
	PopMessageActive:        {Gauge, Activity, "pop_message_active", "POP_MESSAGE requests that wait for their answer"},
	GetTopicRouteActive:     {Gauge, Activity, "get_topic_route_active", "GET_ROUTEINFO_BY_TOPIC requests that wait for their answer"},
	SendMessagePending:      {Gauge, Activity, "send_message_pending", "SEND_MESSAGE and SEND_MESSAGE_V2 requests that wait for an upstream: for a connection or for the answer"},
	PopMessagePending:       {Gauge, Activity, "pop_message_pending", "POP_MESSAGE requests that wait for an upstream: for a connection or for the answer"},
	GetTopicRoutePending:    {Gauge, Activity, "get_topic_route_pending", "GET_ROUTEINFO_BY_TOPIC requests that wait for an upstream: for a connection or for the answer"},
	TotalPending:            {Gauge, Activity, "total_pending", "requests of every kind that wait for an upstream: for a connection or for the answer"},
	RequestTimeMs:           {Histogram, Activity, "request_time_ms", "milliseconds from a request to its answer; long polls apart. Of more than 10,000 a second as many represent them"},

	LongPollTimeMs:           {Histogram, Activity, "long_poll_time_ms", "milliseconds from a request that may wait at the broker (pull, pop, notification) to its answer; represented likewise"},
	RequestOneway:            {Counter, Activity, "request_oneway", "requests that want no answer"},
	RequestRefused:           {Counter, Trouble, "request_refused", "requests the proxy answered with an error instead of forwarding them"},
	RequestExpired:           {Counter, Trouble, "request_expired", "requests whose deadline passed without an answer"},
	RequestCancelled:         {Counter, Activity, "request_cancelled", "requests whose client went away before their answer"},
	RequestOverLimit:         {Counter, Trouble, "request_over_limit", "requests answered SYSTEM_BUSY because a limit of the config, or of open files, was reached"},
	RequestOpaqueReused:      {Counter, Trouble, "request_opaque_reused", "requests with the opaque of one that still waits; each closes its connection"},
	RequestUnknownCode:       {Counter, Trouble, "request_unknown_code", "requests with a code this version does not know"},
	PolicyDenied:             {Counter, Trouble, "policy_denied", "requests that a rule of the policy, or its default, denied"},
	PolicyLimited:            {Counter, Trouble, "policy_limited", "requests over a rate limit of the policy"},
	PolicyShadowDenied:       {Counter, Activity, "policy_shadow_denied", "requests that a rule of the policy, or its default, would deny were it not in shadow mode"},
	PolicyShadowLimited:      {Counter, Activity, "policy_shadow_limited", "requests that a rate limit of the policy would refuse were it not in shadow mode"},
	PolicyOnewayDropped:      {Counter, Trouble, "policy_oneway_dropped", "requests that the policy refused and that want no answer"},
	PolicyKeysFull:           {Counter, Trouble, "policy_keys_full", "requests counted in the bucket that is shared by what max_keys of a rate limit has no room for"},
	RequestLogWritten:        {Counter, Activity, "request_log_written", "lines for the request log"},
	RequestLogDropped:        {Counter, Trouble, "request_log_dropped", "lines left out of the request log: it could not keep up, or its file could not be written"},
	RequestLogFailure:        {Counter, Trouble, "request_log_failure", "attempts to open, write or rotate the request log's file that failed"},
	ResponseUnexpected:       {Counter, Trouble, "response_unexpected", "answers from upstream that no request waits for; dropped, but on a connection that stands for one broker"},
	SendAnsweredLate:         {Counter, Trouble, "send_answered_late", "sends whose message was stored but whose answer came after the deadline and was dropped; the producer may have sent the message again (unified)"},
	ServerRequest:            {Counter, Activity, "server_request", "requests from brokers to clients"},
	ServerRequestExpired:     {Counter, Trouble, "server_request_expired", "requests from brokers that the client never answered"},
	ClientResponse:           {Counter, Activity, "client_response", "answers from clients to requests of brokers, unexpected ones included"},
	ClientResponseUnexpected: {Counter, Trouble, "client_response_unexpected", "answers from clients that no broker waits for; dropped"},
	ServerRequestOverLimit:   {Counter, Trouble, "server_request_over_limit", "requests from brokers dropped because of max_server_requests (unified)"},
	RouteAddressRewritten:    {Counter, Activity, "route_address_rewritten", "broker addresses replaced in answers (routes, clusters, lists of topics)"},
	RouteAddressUncovered:    {Counter, Trouble, "route_address_uncovered", "broker addresses that no rule covers, left out of an answer (or kept, with uncovered: PASS)"},
	RouteUnreadable:          {Counter, Trouble, "route_unreadable", "route and cluster answers that could not be read; the client gets SYSTEM_ERROR"},
	PopUnreadable:            {Counter, Trouble, "pop_unreadable", "pop answers whose messages could not be read, passed on without ack directives (compatible configs)"},
	BrokerNameClash:          {Counter, Trouble, "broker_name_clash", "brokers left out of a route because another cluster has one of the same name (unified, several clusters)"},
	BrokerUnknown:            {Counter, Trouble, "broker_unknown", "requests and connections for a broker whose address is not known"},
	ClusterUnusable:          {Counter, Trouble, "cluster_unusable", "requests and copies of registrations that were not sent because their cluster has TLS or another demand that needs an egress listener (compatible configs)"},
	ClusterOverflow:          {Counter, Trouble, "cluster_overflow", "requests and copies of registrations that were not sent because as many as max_pending_requests of their cluster wait for connections (compatible configs)"},
	BrokerIsSelf:             {Counter, Trouble, "broker_is_self", "requests and connections refused because their broker's address, or that of the name server, leads back to the proxy"},
	BrokerOutsideNetworks:    {Counter, Trouble, "broker_outside_networks", "requests and connections refused because their broker's address is in none of the networks where brokers may be"},
	HeartbeatFanOut:          {Counter, Activity, "heartbeat_fan_out", "copies of heartbeats sent to brokers (unified)"},
	HeartbeatRepeated:        {Counter, Activity, "heartbeat_repeated", "heartbeats equal to one just sent, answered with its answer (unified)"},
	HeartbeatReplayed:        {Counter, Activity, "heartbeat_replayed", "heartbeats sent again on a reopened upstream connection (unified)"},
	ConsumerNamedTwice:       {Counter, Activity, "consumer_named_twice", "consumer lists with a client that a broker had on two connections, and that is named once now (unified)"},
	DownstreamActive:         {Gauge, Activity, "downstream_active", "client connections"},
	DownstreamRefused:        {Counter, Trouble, "downstream_refused", "client connections closed at once"},
	DownstreamOverLimit:      {Counter, Trouble, "downstream_over_limit", "client connections closed at once because there were max_connections, or too few files for one more"},
	DownstreamTimeout:        {Counter, Trouble, "downstream_timeout", "client connections closed because of timeouts.handshake, frame or idle"},
	DownstreamFull:           {Counter, Activity, "downstream_full", "times a client left so much unread that nothing more of it was answered until it had caught up"},
	SourceActive:             {Gauge, Activity, "source_active", "client addresses with a connection, an IPv6 network of 64 bits as one"},
	SourceOverLimit:          {Counter, Trouble, "source_over_limit", "connections closed and requests answered SYSTEM_BUSY because their client's address has max_source_percent of a total; each is counted as over that total's limit too"},
	UpstreamActive:           {Gauge, Activity, "upstream_active", "upstream connections that are open or opening"},
	UpstreamConnect:          {Counter, Activity, "upstream_connect", "upstream connections that were begun"},
	UpstreamConnectFailure:   {Counter, Trouble, "upstream_connect_failure", "upstream connections that did not open; in front of tcp_proxy also those that ended before anything came"},
	UpstreamLost:             {Counter, Trouble, "upstream_lost", "open upstream connections that ended before their client's; in front of tcp_proxy also connections that Envoy closed by itself"},
	UpstreamGoAway:           {Counter, Trouble, "upstream_go_away", "answers GO_AWAY of brokers that shut down; the client gets SERVICE_NOT_AVAILABLE (unified)"},
	UpstreamSilent:           {Counter, Trouble, "upstream_silent", "upstream connections given up because three requests in a row expired there without a byte from the broker; the next request opens another (unified)"},
	DestinationMoved:         {Counter, Trouble, "destination_moved", "client connections ended because the broker that they stand for is at another address now, as after a change of master; their clients dial again (per_broker)"},
	UpstreamTimeout:          {Counter, Trouble, "upstream_timeout", "open upstream connections closed because a frame of theirs stood still for timeouts.upstream_stall"},
	UpstreamFull:             {Counter, Trouble, "upstream_full", "upstream connections that took nothing for a second, so that requests for them were answered SYSTEM_BUSY until they did (unified)"},
	MemoryKept:               {Gauge, Activity, "memory_kept", "bytes that connections have taken of max_total_bytes, some to spare"},
	MemoryOverLimit:          {Counter, Trouble, "memory_over_limit", "connections closed, requests answered SYSTEM_BUSY, and heartbeats and merged answers given up, because of max_session_bytes or max_total_bytes; connections closed because max_buffered_bytes of answers of the proxy itself wait"},
	DirectoryRefresh:         {Counter, Activity, "directory_refresh", "refreshes of the brokers' addresses from the name servers"},
	DirectoryRefreshFailure:  {Counter, Trouble, "directory_refresh_failure", "refreshes that failed at every name server; the addresses known so far are kept"},
	DirectoryStale:           {Gauge, Trouble, "directory_stale", "configs (one for each listener that has the filter) whose last refresh failed"},
	DirectoryOverLimit:       {Counter, Trouble, "directory_over_limit", "brokers that were not remembered because of max_brokers, and topics that were forgotten because of max_topics; counted at refreshes"},
	NameServerCopyFailure:    {Counter, Trouble, "name_server_copy_failure", "changes of name-server data that one of several name servers did not take"},
	Panic:                    {Counter, Trouble, "panic", "faults of this filter, each of which closed its connection"},
	BuildInfo:                {Gauge, Activity, "build_info." + version.String(), "configs (one for each listener that has the filter) that this version of the filter serves"},
	GoGoroutines:             {Gauge, Activity, "go_goroutines", "goroutines of this filter, in the whole Envoy; about a second old"},
	GoHeapBytes:              {Gauge, Activity, "go_heap_bytes", "bytes that Go's last garbage collection found in use, in the whole Envoy"},
	LogSuppressed:            {Counter, Trouble, "log_suppressed", "log lines not written because of max_log_lines_per_minute"},
}, generated()...)

// sums are stats that are the sum of others and never moved by themselves.
var sums = func() map[ID][]ID {
	m := map[ID][]ID{
		// Each frame of a client that can be decoded is a request with a code, known or not, or an answer.
		RequestDecodingSuccess: {RequestUnknownCode, ClientResponse},
		Request:                {RequestDecodingSuccess, RequestDecodingError},
		Response:               {ResponseDecodingSuccess, ResponseDecodingError},

		// Nothing in this filter waits for anything but an upstream, so what is active is what is pending.
		SendMessagePending:   {SendMessageV1Active, SendMessageV2Active},
		PopMessagePending:    {PopMessageActive},
		GetTopicRoutePending: {GetTopicRouteActive},
		TotalPending:         {RequestActive},
	}
	for _, t := range requests.Table {
		id := RequestCodeID(t.Code)
		m[RequestDecodingSuccess] = append(m[RequestDecodingSuccess], id)
		if envoys, ok := named(t.EnvoyStat); ok {
			m[envoys] = []ID{id}
		}
	}
	return m
}()

// activeGauges are the gauges of requests that wait, by the ordinals of their codes.
var activeGauges = func() []ID {
	ids := make([]ID, len(requests.Table))
	for i, t := range requests.Table {
		ids[i] = RequestActive
		if own, ok := named(t.EnvoyStat + "_active"); ok {
			ids[i] = own
		}
	}
	return ids
}()

// named returns the stat with a name.
func named(name string) (ID, bool) {
	i := slices.IndexFunc(Table, func(def Def) bool { return def.Name == name })
	return ID(i), i >= 0
}

// ActiveGauge returns the gauge of the requests with a code that wait for their answer: RequestActive, which counts all of
// them, where the code has none to itself.
func ActiveGauge(code requests.Code) ID {
	if n := requests.Of(code).Ordinal; n >= 0 {
		return activeGauges[n]
	}
	return RequestActive
}

// Where the rows that generated makes begin.
var (
	firstFrameError  = firstGenerated
	firstRequestCode = firstFrameError + ID(len(codec.FrameErrorKinds()))
)

func generated() []Def {
	var defs []Def
	for _, kind := range codec.FrameErrorKinds() {
		defs = append(defs, Def{Counter, Trouble, "frame_error." + kind.String(), "frames closed their connection for this reason, either side"})
	}
	for _, t := range requests.Table {
		defs = append(defs, Def{Counter, Activity, "request_code." + strings.ToLower(t.Name), t.Name + " requests from clients"})
	}
	return defs
}

// FrameErrorID is the stat of a kind of frame error.
func FrameErrorID(kind codec.FrameErrorKind) ID { return firstFrameError + ID(kind) }

// RequestCodeID is the stat of a request code; an unknown one counts as RequestUnknownCode.
func RequestCodeID(code requests.Code) ID {
	if n := requests.Of(code).Ordinal; n >= 0 {
		return firstRequestCode + ID(n)
	}
	return RequestUnknownCode
}
