// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include "rocketmq_proxy_host.h"

static void host_log(const rocketmq_proxy_host* h, int l, const char* t, uint64_t n) { h->log(l, t, n); }
static int define_stat(const rocketmq_proxy_host* h, void* s, int k, const char* t, uint64_t n, uint32_t* id) { return h->define_stat(s, k, t, n, id); }
static void add_to_stat(const rocketmq_proxy_host* h, void* s, uint32_t id, int64_t d) { h->add_to_stat(s, id, d); }
static void record_stat(const rocketmq_proxy_host* h, void* s, uint32_t id, uint64_t v, uint64_t n) { h->record_stat(s, id, v, n); }
static void host_write(const rocketmq_proxy_host* h, void* c, const void* d, uint64_t n) { h->write(c, d, n); }
static int host_full(const rocketmq_proxy_host* h, void* c) { return h->full(c); }
static void host_close(const rocketmq_proxy_host* h, void* c, int flush) { h->close(c, flush); }
static void host_wake(const rocketmq_proxy_host* h, void* c) { h->wake(c); }
static void* host_connect(const rocketmq_proxy_host* h, void* c, uint64_t u, const char* a, uint64_t n) { return h->connect(c, u, a, n); }
static uint64_t write_upstream(const rocketmq_proxy_host* h, void* u, const void* d, uint64_t n) { return h->write_upstream(u, d, n); }
static void close_upstream(const rocketmq_proxy_host* h, void* u) { h->close_upstream(u); }
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// functions are the host's. The contract says when each may be called.
type functions struct{ table *C.rocketmq_proxy_host }

func (f functions) log(level host.Level, line string) {
	C.host_log(f.table, C.int(level), text(line), C.uint64_t(len(line)))
}

var kinds = [...]C.int{
	stats.Counter:   C.ROCKETMQ_PROXY_COUNTER,
	stats.Gauge:     C.ROCKETMQ_PROXY_GAUGE,
	stats.Histogram: C.ROCKETMQ_PROXY_HISTOGRAM,
}

func (f functions) defineStat(of unsafe.Pointer, kind stats.Kind, name string) (id uint32, ok bool) {
	var defined C.uint32_t
	ok = C.define_stat(f.table, of, kinds[kind], text(name), C.uint64_t(len(name)), &defined) == 1
	return uint32(defined), ok
}

func (f functions) addToStat(of unsafe.Pointer, id uint32, delta int64) {
	C.add_to_stat(f.table, of, C.uint32_t(id), C.int64_t(delta))
}

func (f functions) recordStat(of unsafe.Pointer, id uint32, value, count uint64) {
	C.record_stat(f.table, of, C.uint32_t(id), C.uint64_t(value), C.uint64_t(count))
}

func (f functions) write(connection unsafe.Pointer, b []byte) {
	C.host_write(f.table, connection, unsafe.Pointer(unsafe.SliceData(b)), C.uint64_t(len(b)))
}

func (f functions) full(connection unsafe.Pointer) bool { return C.host_full(f.table, connection) == 1 }

func (f functions) close(connection unsafe.Pointer, flush bool) {
	var wanted C.int
	if flush {
		wanted = 1
	}
	C.host_close(f.table, connection, wanted)
}

func (f functions) wake(connection unsafe.Pointer) { C.host_wake(f.table, connection) }

func (f functions) connect(connection unsafe.Pointer, upstream cgo.Handle, address string) unsafe.Pointer {
	return C.host_connect(f.table, connection, C.uint64_t(upstream), text(address), C.uint64_t(len(address)))
}

func (f functions) writeUpstream(upstream unsafe.Pointer, b []byte) (kept int) {
	return int(C.write_upstream(f.table, upstream, unsafe.Pointer(unsafe.SliceData(b)), C.uint64_t(len(b))))
}

func (f functions) closeUpstream(upstream unsafe.Pointer) { C.close_upstream(f.table, upstream) }

func text(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }
