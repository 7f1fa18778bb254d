// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"math"
	"syscall"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
)

// files counts the files of the process that sessions hold open.
var files quota.Files

// filesPerClient is the number of files a client takes: its connection, and at least one to a broker or name server.
const filesPerClient = 2

// sessionFiles returns the part of the files that the process may open that sessions may use. A quarter is left to Envoy
// (listeners, workers, the admin interface, connections of other filters), at least 256 and at most half.
func sessionFiles(openFiles int64) int64 {
	return openFiles - min(max(openFiles/4, 256), openFiles/2)
}

// openFiles returns the number of files the process may open (ulimit -n).
func openFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int64(limit.Cur)
}

// fitFiles lowers max_connections to what the files that the process may open are enough for.
func fitFiles(limits *apiv1.LimitsConfig, openFiles int64, warn warnFunc) {
	most := int(sessionFiles(openFiles) / filesPerClient)
	if limits.MaxConnections <= most {
		return
	}
	if limits.MaxConnections != apiv1.DefaultMaxConnections {
		warn("limits.max_connections is %d, but %d files that the process may open (ulimit -n) are enough for %d connections", limits.MaxConnections, openFiles, most)
	}
	limits.MaxConnections = most
}
