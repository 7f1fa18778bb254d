// SPDX-License-Identifier: Apache-2.0

package requests

import "time"

// Timeout is how long the proxy waits for the answer to a request on unified connections, on top of what the request lets
// its broker wait: a time, or an option of the config. The zero value is timeouts.request.
type Timeout struct {
	Option TimeoutOption
	Fixed  time.Duration
}

// TimeoutOption is an option of the config that is a deadline of requests.
type TimeoutOption uint8

// The options.
const (
	TimeoutsRequest TimeoutOption = iota
	TimeoutsSend
	TimeoutsShort
)

// String returns the option's path in a config.
func (o TimeoutOption) String() string {
	return [...]string{TimeoutsRequest: "timeouts.request", TimeoutsSend: "timeouts.send", TimeoutsShort: "timeouts.short"}[o]
}

// Deadlines of the table. Those that are times are a little below what clients wait (Java's MQClientAPIImpl and its
// callers), so that a client gets an answer and keeps its connection: Java closes one on which a request has timed out.
var (
	sendTimeout   = Timeout{Option: TimeoutsSend}
	shortTimeout  = Timeout{Option: TimeoutsShort}
	offsetTimeout = Timeout{Fixed: 4500 * time.Millisecond}
	lockTimeout   = Timeout{Fixed: 900 * time.Millisecond}
	queryTimeout  = Timeout{Fixed: 15 * time.Second}
	pullTimeout   = Timeout{Fixed: 9500 * time.Millisecond} // on top of the wait
)
