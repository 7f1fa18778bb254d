/*
 * The contract between the plugin (librocketmq_proxy.so, Go) and the stock-Envoy host
 * (librocketmq_proxy_host.so, C++), beside the Golang network filter ABI that both speak as well.
 *
 * It exists for what the Golang ABI has no words for: a filter that is not the last one of its
 * chain (Envoy's tcp_proxy follows it), config errors, the end of a config, and bytes of a terminal
 * filter's connections that are shown where they are instead of copied, and counted while the host
 * keeps them. In this host envoyGoFilterUpstreamClose may be called for a connection that is not
 * ready yet: it is closed soon, and the plugin gets the failure that it waits for.
 *
 * Threads: a session's calls are made on the worker of its connection, one at a time. The functions
 * of rocketmq_proxy_host that take a connection may be called only inside such a call, for that
 * connection; `wake` and those of a terminal filter's connections may be called from any thread.
 */
#ifndef ROCKETMQ_PROXY_HOST_H
#define ROCKETMQ_PROXY_HOST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROCKETMQ_PROXY_HOST_VERSION 4

/* One stretch of memory; valid during the call that passes it. Envoy's own buffer layout. */
typedef struct {
  const char* data;
  uint64_t size;
} rocketmq_proxy_slice;

/* What the host does for a chained connection. `connection` is what rocketmqProxyChainOpen got. */
typedef struct {
  uint32_t version; /* ROCKETMQ_PROXY_HOST_VERSION */

  /* Queues bytes (copied before it returns) to one side. Within one call order is kept per side.
   * In rocketmqProxyChainData of DOWNSTREAM bytes, what is written upstream replaces the bytes
   * shown; of UPSTREAM bytes, what is written downstream replaces them. */
  void (*write_upstream)(uint64_t connection, const void* data, uint64_t size);
  void (*write_downstream)(uint64_t connection, const void* data, uint64_t size);

  /* Lets the next filter (tcp_proxy) open its upstream: to "ip:port" through its ORIGINAL_DST
   * cluster, or, with size 0, to the cluster that its own config names. Returns 0 if the address
   * is malformed. Only in rocketmqProxyChainOpen and rocketmqProxyChainWake, once. */
  int (*connect)(uint64_t connection, const char* address, uint64_t size);

  /* 1 if the client has left too much unread of what was written to it. It is not read meanwhile,
   * and rocketmqProxyChainDrained follows when it has caught up. */
  int (*downstream_full)(uint64_t connection);

  /* Closes the connection: with flush = 1 after what was written downstream has been flushed, with
   * 0 at once. The latter may follow the former. */
  void (*close)(uint64_t connection, int flush);

  /* Runs rocketmqProxyChainWake on the connection's worker soon; many calls may become one. Any
   * thread, until rocketmqProxyChainClose has returned. */
  void (*wake)(uint64_t connection);

  /* For a connection of the terminal filter: its bytes go to rocketmqProxyTerminalData with this
   * number, other than 0, instead of envoyGoFilterOnDownstreamData, or of
   * envoyGoFilterOnUpstreamData. Only in the call of the Golang ABI that opens the downstream
   * connection, or that says that the upstream connection is ready. The former returns what the
   * next two functions know the connection by. */
  void* (*receive_downstream)(uint64_t receiver);
  void (*receive_upstream)(uint64_t receiver);

  /* As downstream_full, for a connection of the terminal filter; rocketmqProxyTerminalDrained
   * follows. Any thread, until envoyGoFilterOnDownstreamEvent has returned from the event that ends
   * the connection. */
  int (*terminal_downstream_full)(void* connection);

  /* As envoyGoFilterUpstreamConnect, for the client of `downstream`, which is what
   * receive_downstream returned: that one is not read while this upstream connection is full, and
   * this one not while that is. Any thread, as long as terminal_downstream_full. */
  void* (*connect_upstream_connection)(void* downstream, const char* address, uint64_t size,
                                       uint64_t connection_id);
  /* Writes as envoyGoFilterUpstreamWrite does, to what connect_upstream_connection returned.
   * Returns how many of the bytes the host keeps because the socket does not take them now, until
   * rocketmqProxyUpstreamDrained or the event that ends the connection. */
  uint64_t (*write_upstream_connection)(void* connection, const void* data, uint64_t size);
} rocketmq_proxy_host;

enum { ROCKETMQ_PROXY_DOWNSTREAM = 0, ROCKETMQ_PROXY_UPSTREAM = 1 };

/* Verdict of rocketmqProxyChainData. */
enum {
  ROCKETMQ_PROXY_PASS = 0, /* the bytes shown go on as they are; nothing was written to that side */
  ROCKETMQ_PROXY_REPLACE = 1 /* the bytes shown are consumed; what was written goes on instead */
};

/*
 * Exported by the plugin:
 *
 *   int rocketmqProxyAttach(const rocketmq_proxy_host* host);
 *     Once, before everything else. 0, or -1 when the versions differ.
 *
 *   uint64_t rocketmqProxyLastConfig(int chained, char** errors);
 *     After envoyGoFilterOnNetworkFilterConfig, on the same thread: the handle of the config just
 *     parsed, which will be used in front of tcp_proxy if `chained` is 1, and as the last filter of
 *     its chain if it is 0. `*errors` is NULL, or a malloc'ed text with one line for each bad
 * field; the caller frees it, and the config is then unusable (but must be destroyed as well).
 *
 *   void rocketmqProxyConfigDestroy(uint64_t config);
 *     No new session will use this config.
 *
 *   uint64_t rocketmqProxyChainOpen(uint64_t config, uint64_t connection,
 *                                   rocketmq_proxy_slice local, rocketmq_proxy_slice remote);
 *     A new connection ("ip:port" texts). Returns the session, or 0: close the connection. When
 *     `connect` was not called inside, the host keeps tcp_proxy waiting (StopIteration) until it is
 *     called in rocketmqProxyChainWake.
 *
 *   int rocketmqProxyChainData(uint64_t session, int side, const rocketmq_proxy_slice* slices,
 *                              int count, int end);
 *     Bytes that came from that side; end = 1 when it will send no more. A verdict from above.
 *
 *   void rocketmqProxyTerminalData(uint64_t receiver, const rocketmq_proxy_slice* slices,
 *                                  int count);
 *     Bytes of a terminal filter's connection. None come after the event that ends the connection.
 *
 *   void rocketmqProxyTerminalDrained(uint64_t receiver);
 *     The client of a terminal filter has been full and has caught up.
 *
 *   int rocketmqProxyTerminalFull(uint64_t receiver, int full);
 *     An upstream connection of a terminal filter has taken too little of what was written to it
 * for a while (full = 1), or has taken it (0). The client is not read meanwhile, unless the answer
 * to the former is 1: the session then refuses what is for this upstream, and others need not wait.
 *     Of 0 the answer means nothing.
 *
 *   void rocketmqProxyUpstreamDrained(uint64_t receiver, uint64_t size);
 *     An upstream connection of a terminal filter has taken that many of the bytes that the host
 *     kept for it.
 *
 *   void rocketmqProxyChainWake(uint64_t session);
 *   void rocketmqProxyChainDrained(uint64_t session);
 *     The client of a chained filter has been full and has caught up.
 *
 *   void rocketmqProxyChainClose(uint64_t session, int event);
 *     The connection is closed (Envoy's ConnectionEvent). The session is gone when it returns.
 */

#ifdef __cplusplus
}
#endif
#endif
