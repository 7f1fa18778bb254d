// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include <stdlib.h>
#include "rocketmq_proxy_host.h"
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
	"strings"
	"unsafe"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// plugin is the filter as one process has it.
type plugin struct {
	host.Host
	functions
}

//export rocketmqProxyAttach
func rocketmqProxyAttach(table *C.rocketmq_proxy_host) C.uint64_t {
	if table.version != C.ROCKETMQ_PROXY_HOST_VERSION {
		return 0
	}
	provideProcessors()
	p := &plugin{functions: functions{table}}
	p.WriteLog, p.NoSocketHint = p.log, "is the process out of files (ulimit -n)?"
	p.LogInfo("version %v, %v", logline.Own(version.String()), logline.Own(runtime.Version()))
	return C.uint64_t(cgo.NewHandle(p))
}

// config is a config of Envoy.
type config struct {
	*plugin
	instance *instance.Instance
	chained  bool
}

//export rocketmqProxyConfigNew
func rocketmqProxyConfigNew(handle C.uint64_t, role C.int, bytes C.rocketmq_proxy_slice, of unsafe.Pointer, errors **C.char) C.uint64_t {
	p := cgo.Handle(handle).Value().(*plugin)
	defer p.Recover(nil, func() {})
	c := &config{plugin: p, chained: role == C.ROCKETMQ_PROXY_CHAINED}
	instance, err := p.Start(
		func() (*apiv1.Config, error) { return readConfig(view(&bytes), c.chained) },
		func(statPrefix string, defs []stats.Def) stats.Sink { return p.newSink(of, statPrefix, defs) })
	if err != nil {
		var lines []string
		for _, line := range host.ConfigErrors(err) {
			lines = append(lines, string(line))
		}
		*errors = C.CString(strings.Join(lines, "\n"))
		return 0
	}
	c.instance = instance
	return C.uint64_t(cgo.NewHandle(c))
}

// readConfig reads a config, which must be one for its role.
func readConfig(bytes []byte, chained bool) (*apiv1.Config, error) {
	config, err := apiv1.ReadBytes(bytes)
	if err == nil && chained && config.Addressing.Mode == apiv1.UnifiedMode {
		err = apiv1.Errors{{Path: "addressing.unified", Problem: "needs several upstreams: use filter_name rocketmq_proxy with terminal_filter true and nothing behind it"}}
	}
	return config, err
}

//export rocketmqProxyConfigDestroy
func rocketmqProxyConfigDestroy(handle C.uint64_t) {
	c := cgo.Handle(handle).Value().(*config)
	defer c.Recover(nil, func() {})
	cgo.Handle(handle).Delete()
	c.instance.Close()
}
