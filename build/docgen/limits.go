// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

const limitsIntroduction = `# Limits

<!-- Written by build/docgen from api/v1/limits.go: change it there, or in build/docgen/limits.go. -->

What clients and brokers can make the proxy hold, and for how long, is bounded. "In all" means over all connections
that one config has, which is one listener's. A config with a value outside of its bounds is refused with a line that
names the field, its value and the bounds. The last column names the stats that count how often a limit was exceeded; their names follow
` + "`rocketmq.<stat_prefix>.`" + `.

| option | bounds | default | min | max | what happens beyond it | stats |
| --- | --- | --- | --- | --- | --- | --- |
`

var limitsRest = `
## How they go together

A frame within ` + "`max_frame_bytes`" + ` passes whatever waits, as long as that is less than ` + "`max_buffered_bytes`" + `: no frame is refused for its size alone.
A config whose limits contradict each other is refused, with each one that is too small:

- ` + "`max_frame_bytes`" + ` ≥ ` + "`max_header_bytes`" + ` + 8
- ` + "`max_session_bytes`" + ` ≥ 3 × (` + "`max_frame_bytes` + `max_buffered_bytes`" + `): a frame that is being received, and one more than ` + "`max_buffered_bytes`" + ` that wait
- ` + "`max_source_percent` of `max_total_bytes`" + ` ≥ ` + "`max_session_bytes`" + `
- ` + "`max_source_percent` of `max_total_pending_requests`" + ` ≥ ` + "`max_pending_requests`" + `

What a config does not set follows from what it sets: ` + "`max_frame_bytes: 67108864`" + ` alone makes ` + "`max_session_bytes`" + ` 251658240, and ` + "`max_total_bytes: 134217728`" + `
alone makes it 67108864.

## One client cannot take the house

A client address gets no more of ` + "`max_connections`, `max_total_pending_requests`, `max_total_bytes`" + ` and the files that the process may open than ` + "`max_source_percent`" + ` of what all
other addresses leave of it: by default a half. One greedy address takes half of a total at most, two of them a third each; the next one always finds
as much as each of them has. An IPv6 network of 64 bits counts as one address, and so do all clients without one (a listener on a
Unix socket). ` + "`source_active`" + ` is how many there are, ` + "`source_over_limit`" + ` counts what was too much for one.
Its part of the files is one over all configs.

The address is the one that Envoy has for the connection, which behind a load balancer is the balancer's, unless it sends it along in PROXY protocol.
Where all clients come from one address (a NAT, ` + "`kube-proxy` with `externalTrafficPolicy: Cluster`" + `), that one may take half of each total; set
` + "`max_source_percent: 100`" + ` to let it have all.

## How many files that takes

A client takes two files of Envoy's process: its connection, and one to a broker or a name server; on a unified listener one more for each further
broker. Envoy itself dies when it cannot open a socket, so the filter leaves some: of the files that the process may open (` + "`ulimit -n`" + `)

    reserved = a quarter, at least 256 and at most half
    clients  = (files − reserved) / 2

` + "`max_connections`" + ` of each config is lowered to that number of clients, with a warning at load if the config names a larger one. The sessions of
all configs together take no more than ` + "`files − reserved`" + `: one client more is closed at once (` + "`downstream_over_limit`" + `), one upstream connection more of a
unified client is answered SYSTEM_BUSY (` + "`request_over_limit`" + `).

| ` + "`ulimit -n`" + ` | clients, all listeners together |
| --- | --- |
| 1,024 | 384 |
| 65,536 | 24,576 |
| 349,526 or more | 131,072 by the default of ` + "`max_connections`" + `, for each listener |

Loading the plugin raises the soft limit to the hard one (Go's runtime library does). Look with ` + "`ulimit -Hn`" + ` where Envoy starts; raise it by
` + "`docker run --ulimit nofile=…`" + `, by ` + "`LimitNOFILE`" + ` of Envoy's systemd unit, or, in Kubernetes, of the container runtime's. What other listeners and filters of
the same Envoy open is not counted here: bound it by the overload manager, as each example does (` + "`global_downstream_max_connections`" + `, all listeners
together, below half of ` + "`ulimit -n`" + `). In Istio and Envoy Gateway the bootstrap is theirs; Envoy Gateway has ` + "`connectionLimit`" + ` of a ClientTrafficPolicy,
for each listener.

## How much memory that is

A listener's sessions need at most

    max_total_bytes + max_connections × 6 KB + upstream connections × 2 KB

of Go's heap, and the names of topics whose routes are being asked for, at most 1 KB each, which Go's garbage collector may let grow to twice that before it collects (` + "`GOGC`, `GOMEMLIMIT`" + `), and as much
again for a short time as there are frames being changed at one moment: at most one for each of Envoy's workers and, with terminal sessions, as many for threads of the module. To it come, outside of
this filter, Envoy's buffers: ` + "`per_connection_buffer_limit_bytes`" + ` for each connection and direction (1 MiB by default; set it
lower where many clients are not trusted), and with terminal sessions the module's queue for each client: 1 MiB, above which it stops reading
brokers. Its queues for brokers that do not read count in ` + "`max_session_bytes` and `max_total_bytes`" + `, to within 64 KiB each; contrib Envoy cannot tell how long these are
([GOLANG_FILTER.md](GOLANG_FILTER.md#what-is-not-there)).

A client that leaves more than ` + "`per_connection_buffer_limit_bytes`" + ` of its answers unread is not read either, and no answer of the proxy itself is
written to it until it has read half of that; what it has sent meanwhile, and the answer by which it got there, count in ` + "`max_session_bytes`" + ` and
` + "`max_total_bytes`" + ` until it has, or until its connection is gone. A listener with ` + "`per_connection_buffer_limit_bytes: 0`" + ` takes that bound away, and
[contrib Envoy](GOLANG_FILTER.md#what-is-not-there) has none.

Envoy has limits of its own that work before these: ` + "`envoy.resource_monitors.global_downstream_max_connections`" + ` and the overload
manager for all listeners together, the listener filter ` + "`local_ratelimit`" + ` for new connections, and network RBAC for who may connect.

## What is forgotten when there is too much

Nothing that is full stays full: what a client can fill empties by itself, and takes no room that others need for longer.

| what is remembered | bound | what goes |
| --- | --- | --- |
| topics of a cluster | ` + "`max_topics`" + ` | those not used for longest |
| brokers of a cluster | ` + "`max_brokers`" + ` | one that no name server has named for 3 minutes; new ones are unknown until then |
| token buckets of a rate limit | its ` + "`max_keys`" + ` | those that are full again, at most a second and a minute after their last use; new keys share one until then |
| ack directives (compatible configs) | 1048576 | the oldest, and each after ` + "`transient_object_life_span`" + ` |
| members of consumer groups (compatible configs) | ` + "`max_heartbeat_entries`" + ` for each connection | with their connection, and 2 minutes after their last heartbeat |
| half messages, for each connection (unified) | 1024 | the oldest |
| requests of brokers, for each connection (unified) | ` + "`max_server_requests`" + ` | each after 10 s |
| brokers that a client has learned of (unified) | ` + "`max_session_bytes`" + ` | with the connection |
| client addresses | ` + "`max_connections`" + ` | with their last connection |
| lines that wait for the request log | 4096 | the newest are dropped |

## What is fixed

No user has a reason to move these; they are constants in the code.

| bound | value | what happens beyond it |
| --- | --- | --- |
| nesting of objects and arrays in headers and bodies | 32 | a header: the connection is closed (` + "`frame_error.bad_header`" + `); a request's body: answered SYSTEM_ERROR; a route: ` + "`route_unreadable`" + ` |
| entries of each list in a body that is read | 65536 | as a malformed body |
| name of a topic that is remembered | ` + fmt.Sprint(codec.MaxTopicName) + ` bytes | the request passes, its answer teaches nothing |
| name of a group in a heartbeat (unified) | ` + fmt.Sprint(codec.MaxGroupName) + ` bytes | the heartbeat is answered SYSTEM_ERROR |
| name of a topic in a heartbeat (unified) | ` + fmt.Sprint(codec.MaxTopicName) + ` bytes | the heartbeat is answered SYSTEM_ERROR |
| clientID in a heartbeat (unified) | 1024 bytes | the heartbeat is answered SYSTEM_ERROR |
| list of a group's consumers (compatible configs) | ` + "`max_frame_bytes`" + ` | the request is answered SYSTEM_BUSY (` + "`request_over_limit`" + `) |
| time for a connection that is being closed to send what was written to it | 5 s; 5 s more when a client that left more unread than Envoy buffers has read half of that | it is closed without |
| half messages remembered for the end of their transactions, each connection (unified) | 1024 | the oldest are forgotten: an END_TRANSACTION that names no broker is refused |
| questions counted to send copies of a query to brokers in turn, each connection (unified) | 256 | counting starts anew |
| time for a broker's request to be answered by its client (unified) | 10 s | forgotten (` + "`server_request_expired`" + `) |
| time for which the refusal of a pull or pop that may wait at its broker is held back (unified) | 1 s, and no longer than the request says; counts in ` + "`max_pending_requests`" + ` | refused at once |
| time after which a request on a connection that stands for one broker is not waited for | 10 min | counted (` + "`request_expired`" + `); its answer would still pass |
| ack directives (compatible configs) | 1048576 | the oldest are forgotten |
| topics and groups of one request that a policy judges | 4096 pairs, each name ` + fmt.Sprint(codec.MaxTopicName) + ` bytes | denied with NO_PERMISSION (16) (` + "`policy_denied`" + `) |
| changes of name-server data that wait for one of several name servers | 32 MiB, with 64 KiB for each; 12 s | not copied there (` + "`name_server_copy_failure`" + `); the name server of the connection has it |
| bytes still on their way to brokers whose client has left, in the process | 32 MiB, each for 5 s | the broker's connection is closed at once |
| silence of a broker's host, connections of the module | 1 min after its last byte, or after the first byte that it has not acknowledged | the connection ends (` + "`upstream_lost`" + `); with tcp_proxy it is its cluster's ` + "`tcp_keepalive`" + ` that decides |
| a name server that does not take a connection, while there is another (unified) | 0.7 s | the next name server gets what waits for it, and is asked first from then on |
| requests that expire in a row on a connection, without a byte from the broker (unified) | 3 | the next request opens another connection (` + "`upstream_silent`" + `) |
| one exchange with a name server of the proxy's own | 3 s | the next name server is asked |
| one answer of Envoy's admin interface (compatible configs) | 64 MiB, 1048576 values, 5 s | what was known is kept |
| RocketMQ clusters of one config | 64 | the config is refused |
| stacks of faults in Envoy's log, in the life of the process | 10 | one line without a stack |
`

func limitsPage() string {
	var b strings.Builder
	b.WriteString(limitsIntroduction)
	for i := range apiv1.LimitTable {
		l := &apiv1.LimitTable[i]
		value := func(n int64) string {
			if l.IsDeadline() {
				return time.Duration(n).String()
			}
			return fmt.Sprint(n)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | `%s` |\n", l.Option, l.Bounds, value(l.Default), value(l.Min), value(l.Max), l.Excess, strings.Join(l.Stats, "`, `"))
	}
	b.WriteString(limitsRest)
	return b.String()
}
