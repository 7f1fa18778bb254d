/*
 * The contract between the plugin (librocketmq_proxy.so, Go) and the stock-Envoy host
 * (librocketmq_proxy_host.so, C++).
 *
 * A filter has one of two roles. Chained, it stands in front of Envoy's tcp_proxy, which owns the
 * one upstream connection; terminal, it is the last of its chain, and the host opens as many
 * upstream connections as the plugin asks for.
 *
 * Handles. `config`, `session` and the uint64_t `upstream` are the plugin's: the host hands them
 * back as they are. `stats`, `connection` and the void* `upstream` are the host's.
 *
 * Threads. Calls for a session come on the worker of its connection, one at a time, and so do the
 * bytes of its upstream connections; the other calls for an upstream connection come on a thread of
 * the host, one at a time. Functions of the host may be called from any thread, unless they say
 * otherwise; they only queue, and never call the plugin.
 */
#ifndef ROCKETMQ_PROXY_HOST_H
#define ROCKETMQ_PROXY_HOST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROCKETMQ_PROXY_HOST_VERSION 5

/* One stretch of memory; valid during the call that passes it. Envoy's own buffer layout. */
typedef struct {
  const char* data;
  uint64_t size;
} rocketmq_proxy_slice;

enum { ROCKETMQ_PROXY_TERMINAL = 0, ROCKETMQ_PROXY_CHAINED = 1 }; /* roles */
enum { ROCKETMQ_PROXY_COUNTER = 0, ROCKETMQ_PROXY_GAUGE = 1, ROCKETMQ_PROXY_HISTOGRAM = 2 };
enum { ROCKETMQ_PROXY_INFO = 2, ROCKETMQ_PROXY_WARNING = 3, ROCKETMQ_PROXY_ERROR = 4 };

/* Verdict on bytes of a chained connection. */
enum {
  ROCKETMQ_PROXY_PASS = 0,   /* they go on as they are; nothing was written to that side */
  ROCKETMQ_PROXY_REPLACE = 1 /* they are consumed; what was written goes on in their place */
};

/* How an upstream connection of a terminal filter has ended. */
enum {
  ROCKETMQ_PROXY_CLOSED = 0,        /* it was ready, or the plugin has closed it */
  ROCKETMQ_PROXY_NO_SOCKET = 1,     /* the address is malformed, or no file is left */
  ROCKETMQ_PROXY_CONNECT_FAILED = 2 /* the other side refused, or could not be reached */
};

/* What the host does for the plugin. Bytes are copied before a function returns. */
typedef struct {
  uint32_t version; /* ROCKETMQ_PROXY_HOST_VERSION */

  /* Writes a line to Envoy's log. */
  void (*log)(int level, const char* text, uint64_t size);

  /* Stats of a config, until rocketmqProxyConfigDestroy has returned. define_stat returns 1, or 0
   * if Envoy refuses the name; it works only inside rocketmqProxyConfigNew. add_to_stat is for
   * counters and gauges, record_stat for histograms: `count` samples of a value. */
  int (*define_stat)(void* stats, int kind, const char* name, uint64_t size, uint32_t* id);
  void (*add_to_stat)(void* stats, uint32_t id, int64_t delta);
  void (*record_stat)(void* stats, uint32_t id, uint64_t value, uint64_t count);

  /* The client's connection, until rocketmqProxyClose has returned. Of a chained connection
   * everything but `wake` works only inside a call for its session.
   *
   * `write` sends to the client, in the order of the calls.
   * `full` returns 1 if the client has left too much unread of what was written to it. It is not
   * read meanwhile, and rocketmqProxyDrained follows when it has caught up.
   * `close` closes the connection: with flush = 1 after what was written has been sent, with 0 at
   * once. The latter may follow the former.
   * `wake` makes the host call rocketmqProxyWake soon; many calls may become one. */
  void (*write)(void* connection, const void* data, uint64_t size);
  int (*full)(void* connection);
  void (*close)(void* connection, int flush);
  void (*wake)(void* connection);

  /* Opens an upstream connection to "ip:port", and returns it. Flow control ties it to the client:
   * the client is not read while it is full, and it is not read while the client is.
   *
   * Chained: tcp_proxy opens it, through its ORIGINAL_DST cluster, or, with size 0, to the cluster
   * that its own config names. Only in rocketmqProxyOpen and rocketmqProxyWake, once. Returns NULL
   * if the address is malformed. It counts as ready at once, and ends with the client's connection.
   *
   * Terminal: rocketmqProxyUpstreamReady may follow, and rocketmqProxyUpstreamClosed always does.
   */
  void* (*connect)(void* connection, uint64_t upstream, const char* address, uint64_t size);

  /* For an upstream connection that is ready, until rocketmqProxyUpstreamClosed has returned.
   * Returns how many of the bytes the host keeps because the socket does not take them now, until
   * rocketmqProxyUpstreamDrained or the end of the connection. Of a chained connection it works
   * only inside a call for its session, and returns 0: Envoy's buffers hold it back. */
  uint64_t (*write_upstream)(void* upstream, const void* data, uint64_t size);

  /* Terminal only, until rocketmqProxyUpstreamClosed has returned. Closes an upstream connection,
   * ready or not, once what was written to it has been sent, or after 5 s. */
  void (*close_upstream)(void* upstream);
} rocketmq_proxy_host;

/*
 * Exported by the plugin:
 *
 *   uint64_t rocketmqProxyAttach(const rocketmq_proxy_host* host);
 *     Once, before everything else. Returns what rocketmqProxyConfigNew is to be given; 0 when the
 *     versions differ.
 *
 *   uint64_t rocketmqProxyConfigNew(uint64_t plugin, int role, rocketmq_proxy_slice bytes,
 *                                   void* stats, char** errors);
 *     Reads a config, as Envoy hands it to a module. Returns it, or 0 with `*errors` set to a
 *     malloc'ed text that has a line for each bad field; the caller frees it.
 *
 *   void rocketmqProxyConfigDestroy(uint64_t config);
 *     No new session will use this config.
 *
 *   uint64_t rocketmqProxyOpen(uint64_t config, void* connection, rocketmq_proxy_slice local,
 *                              rocketmq_proxy_slice remote);
 *     A new connection ("ip:port" texts). Returns the session, or 0: close the connection. If
 *     `connect` was not called inside, the host keeps tcp_proxy waiting until it is called in
 *     rocketmqProxyWake.
 *
 *   int rocketmqProxyData(uint64_t session, const rocketmq_proxy_slice* slices, int count,
 *                         int end);
 *     Bytes of the client; end = 1 when it will send no more. Returns a verdict for what goes
 *     upstream; a terminal filter consumes all bytes.
 *
 *   void rocketmqProxyWake(uint64_t session);
 *   void rocketmqProxyDrained(uint64_t session);
 *     The client has been full and has caught up.
 *
 *   void rocketmqProxyClose(uint64_t session, int event);
 *     The connection is closed (Envoy's ConnectionEvent). The session is gone when it returns, and
 *     what is left of its upstream connections is closed.
 *
 *   void rocketmqProxyUpstreamReady(uint64_t upstream);
 *
 *   int rocketmqProxyUpstreamData(uint64_t upstream, const rocketmq_proxy_slice* slices,
 *                                 int count);
 *     Bytes of an upstream connection. Returns a verdict for what goes to the client.
 *
 *   int rocketmqProxyUpstreamFull(uint64_t upstream, int full);
 *     The connection has taken too little of what was written to it for a while (full = 1), or has
 *     taken it (0). The client is not read meanwhile, unless the answer to the former is 1: the
 *     session then refuses what is for this upstream, and others need not wait.
 *
 *   void rocketmqProxyUpstreamDrained(uint64_t upstream, uint64_t size);
 *     The connection has taken that many of the bytes that the host kept for it.
 *
 *   void rocketmqProxyUpstreamClosed(uint64_t upstream, int how);
 *     The connection has ended; `how` is from above. The last call for it.
 */

#ifdef __cplusplus
}
#endif
#endif
