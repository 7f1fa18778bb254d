// SPDX-License-Identifier: Apache-2.0
#include "fake_envoy.h"

#include <algorithm>
#include <utility>

#include "address.h"
#include "envoy.h"

namespace fake {
namespace {

using rocketmq_proxy::EnvoyBuffer;
using rocketmq_proxy::ModuleBuffer;

std::mutex g_mu;
std::vector<std::string> g_logs;
std::vector<std::string> g_violations;
std::map<std::string, int64_t> g_stats;
std::map<std::string, std::vector<uint64_t>> g_samples;

void Violation(const std::string& what) {
  const std::lock_guard<std::mutex> lock(g_mu);
  g_violations.push_back(what);
}

std::string Text(ModuleBuffer b) { return b.length == 0 ? "" : std::string(b.ptr, b.length); }

Connection& ToConnection(void* filter) { return *static_cast<Connection*>(filter); }

size_t Size(const std::deque<std::string>& buffer) {
  size_t size = 0;
  for (const auto& s : buffer) size += s.size();
  return size;
}

void Drain(std::deque<std::string>* buffer, size_t size) {
  while (size > 0 && !buffer->empty()) {
    const size_t step = std::min(size, buffer->front().size());
    buffer->front().erase(0, step);
    if (buffer->front().empty()) buffer->pop_front();
    size -= step;
  }
}

std::string TakeAll(std::deque<std::string>* buffer) {
  std::string all;
  for (const auto& s : *buffer) all += s;
  buffer->clear();
  return all;
}

// Marks a hook, and keeps the connection while it runs.
struct Hook {
  explicit Hook(Connection* c) : connection(c->shared_from_this()) { connection->in_hook++; }
  ~Hook() { connection->in_hook--; }
  std::shared_ptr<Connection> connection;
};

struct FilterScheduler {
  std::weak_ptr<Connection> connection;
};
struct ConfigScheduler {
  std::weak_ptr<Config> config;
};

}  // namespace

Worker::Worker(uint32_t i) : index(i), thread_([this] { Loop(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stop_ = true;
  }
  ready_.notify_all();
  thread_.join();
}

void Worker::Post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_all();
}

void Worker::Run(const std::function<void()>& task) {
  if (OnThread()) return task();
  std::mutex mu;
  std::condition_variable done_changed;
  bool done = false;
  Post([&] {
    task();
    const std::lock_guard<std::mutex> lock(mu);
    done = true;
    done_changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(mu);
  done_changed.wait(lock, [&] { return done; });
}

void Worker::Loop() {
  std::unique_lock<std::mutex> lock(mu_);
  for (;;) {
    ready_.wait(lock, [&] { return stop_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

Worker& Main() {
  static Worker worker(100);
  return worker;
}

Worker& WorkerAt(uint32_t index) {
  static Worker workers[2] = {Worker(0), Worker(1)};
  return workers[index];
}

std::vector<std::string> TakeLogs() {
  const std::lock_guard<std::mutex> lock(g_mu);
  return std::exchange(g_logs, {});
}

std::vector<std::string> TakeViolations() {
  const std::lock_guard<std::mutex> lock(g_mu);
  return std::exchange(g_violations, {});
}

int64_t Stat(const std::string& name) {
  const std::lock_guard<std::mutex> lock(g_mu);
  return g_stats[name];
}

std::vector<uint64_t> Samples(const std::string& name) {
  const std::lock_guard<std::mutex> lock(g_mu);
  return g_samples[name];
}

void ResetStats() {
  const std::lock_guard<std::mutex> lock(g_mu);
  g_stats.clear();
  g_samples.clear();
}

std::shared_ptr<Config> Config::Create(const std::string& filter_name, const std::string& bytes) {
  auto config = std::make_shared<Config>();
  Main().Run([&] {
    config->module = envoy_dynamic_module_on_network_filter_config_new(
        config.get(), {filter_name.data(), filter_name.size()}, {bytes.data(), bytes.size()});
    config->frozen = true;
  });
  return config->module == nullptr ? nullptr : config;
}

Config::~Config() {
  destroying = true;
  if (module != nullptr) envoy_dynamic_module_on_network_filter_config_destroy(module);
}

Connection::Connection(Worker& w, std::shared_ptr<Config> c, Options o)
    : worker(w), config(std::move(c)), options(o) {}

std::shared_ptr<Connection> Connection::Create(const std::shared_ptr<Config>& config,
                                               Worker& worker) {
  return Create(config, worker, Options());
}

std::shared_ptr<Connection> Connection::Create(const std::shared_ptr<Config>& config,
                                               Worker& worker, Options options) {
  auto connection = std::make_shared<Connection>(worker, config, options);
  // tcp_proxy's first act.
  if (options.tcp_proxy && !options.early_data) connection->read_disabled = 1;
  worker.Run([&] {
    Connection* const c = connection.get();
    c->module = envoy_dynamic_module_on_network_filter_new(config->module, c);
    if (!options.start) return;
    const Hook hook(c);
    c->status_of_new = envoy_dynamic_module_on_network_filter_new_connection(c, c->module);
    if (c->status_of_new == 0 && c->open && options.tcp_proxy) c->StartNext();
  });
  return connection;
}

Connection::~Connection() {
  if (module != nullptr) envoy_dynamic_module_on_network_filter_destroy(module);
}

void Connection::CheckThread(const char* callback) {
  if (!worker.OnThread()) Violation(std::string(callback) + " off the worker");
}

void Connection::StartNext() {
  if (next_started) return;
  next_started = true;
  if (options.close_at_start) {
    CloseNow(rocketmq_proxy::kLocalClose, "tcp_proxy");
  } else if (options.upstream_at_once) {
    upstream_host = true;
    if (!options.early_data) read_disabled--;
  }
}

// The rest of the filter chain for what is in the read buffer.
void Connection::PassOn() {
  if (!options.tcp_proxy || !open) return;
  StartNext();
  if (!open || (read_buffer.empty() && !read_ended)) return;
  if (!upstream_host && !options.early_data) {
    Violation("tcp_proxy was given data before it has an upstream");
  }
  to_upstream += TakeAll(&read_buffer);
  to_upstream_ended |= read_ended;
}

void Connection::ClientSends(const std::vector<std::string>& chunks, bool end) {
  worker.Run([&] {
    if (!open) return;
    const Hook hook(this);
    for (const auto& chunk : chunks) {
      if (!chunk.empty()) read_buffer.push_back(chunk);
    }
    read_ended |= end;
    read_buffer_known = true;
    last_status =
        envoy_dynamic_module_on_network_filter_read(this, module, Size(read_buffer), read_ended);
    if (last_status == 0) PassOn();
  });
}

// The write filters for one piece, and then the connection's own buffer.
void Connection::Write(const std::string& data, bool end) {
  if (!open) return;
  std::deque<std::string> piece;
  if (!data.empty()) piece.push_back(data);
  auto* const outer = std::exchange(write_buffer, &piece);
  in_write++;
  const int status = envoy_dynamic_module_on_network_filter_write(this, module, Size(piece), end);
  in_write--;
  write_buffer = outer;
  if (options.close_at_write) CloseNow(rocketmq_proxy::kLocalClose, "by a filter in front");
  if (status != 0 || !open) return;
  const std::string out = TakeAll(&piece);
  to_client += out;
  to_client_ended |= end;
  if (!client_stalled) return;
  unsent += out.size();
  if (!above && unsent > options.high_watermark) {
    above = true;
    envoy_dynamic_module_on_network_filter_above_write_buffer_high_watermark(this, module);
  }
}

void Connection::UpstreamSends(const std::string& data, bool end) {
  worker.Run([&] {
    const Hook hook(this);
    Write(data, end);
  });
}

void Connection::ClientReads(size_t size) {
  worker.Run([&] {
    unsent -= std::min(size, unsent);
    if (above && unsent < options.high_watermark / 2) {
      above = false;
      if (!open) return;
      envoy_dynamic_module_on_network_filter_below_write_buffer_low_watermark(this, module);
    }
    if (closing && unsent == 0) CloseNow(rocketmq_proxy::kLocalClose, "flushed");
  });
}

void Connection::Event(int event) {
  worker.Run([&] {
    const Hook hook(this);
    envoy_dynamic_module_on_network_filter_event(
        this, module, static_cast<envoy_dynamic_module_type_network_connection_event>(event));
  });
}

void Connection::CloseNow(int event, const std::string& how) {
  if (!open) return;
  calls.push_back("close " + how);
  open = false;
  Event(event);
}

void Connection::Close(int event) {
  worker.Run([&] { CloseNow(event, "by event"); });
}

void Connection::ConnectUpstream() {
  worker.Run([&] {
    upstream_host = true;
    if (!options.early_data) read_disabled--;
  });
}

}  // namespace fake

using fake::Connection;
using fake::g_mu;
using fake::g_samples;
using fake::g_stats;
using fake::Text;
using fake::ToConnection;
using rocketmq_proxy::EnvoyBuffer;
using rocketmq_proxy::ModuleBuffer;
using MetricsResult = envoy_dynamic_module_type_metrics_result;

namespace {

constexpr MetricsResult kSuccess = envoy_dynamic_module_type_metrics_result_Success;

bool GetChunks(const std::deque<std::string>* buffer, EnvoyBuffer* out) {
  if (buffer == nullptr) return false;
  for (const auto& s : *buffer) *out++ = {s.data(), s.size()};
  return true;
}

bool DrainBuffer(std::deque<std::string>* buffer, size_t size) {
  if (buffer == nullptr || size == 0) return false;
  fake::Drain(buffer, size);
  return true;
}

MetricsResult Define(void* config, int type, ModuleBuffer name, size_t* id) {
  auto* c = static_cast<fake::Config*>(config);
  if (c->frozen) return envoy_dynamic_module_type_metrics_result_Frozen;
  c->metrics.push_back({type, Text(name)});
  *id = c->metrics.size();
  return kSuccess;
}

MetricsResult Change(fake::Config* config, int type, size_t id,
                     const std::function<void(int64_t&)>& change) {
  if (id == 0 || id > config->metrics.size() || config->metrics[id - 1].type != type) {
    fake::Violation("unknown metric");
    return envoy_dynamic_module_type_metrics_result_MetricNotFound;
  }
  const std::lock_guard<std::mutex> lock(g_mu);
  change(g_stats[config->metrics[id - 1].name]);
  return kSuccess;
}

fake::Config* ConfigOf(void* config, const char* callback) {
  auto* c = static_cast<fake::Config*>(config);
  if (!fake::Main().OnThread() && !c->destroying) {
    fake::Violation(std::string(callback) + " off the main thread");
  }
  return c;
}

fake::Config* ConfigOfFilter(void* filter, const char* callback) {
  ToConnection(filter).CheckThread(callback);
  return ToConnection(filter).config.get();
}

MetricsResult Record(fake::Config* config, size_t id, uint64_t value) {
  return Change(config, 2, id,
                [&](int64_t&) { g_samples[config->metrics[id - 1].name].push_back(value); });
}

}  // namespace

#define CALLBACK(name) envoy_dynamic_module_callback_network_filter_##name

extern "C" {

void envoy_dynamic_module_callback_log(envoy_dynamic_module_type_log_level level,
                                       ModuleBuffer text) {
  const std::lock_guard<std::mutex> lock(g_mu);
  fake::g_logs.push_back(std::to_string(static_cast<int>(level)) + " " + Text(text));
}
bool envoy_dynamic_module_callback_log_enabled(envoy_dynamic_module_type_log_level level) {
  return level >= envoy_dynamic_module_type_log_level_Warn;
}
uint32_t envoy_dynamic_module_callback_get_concurrency() {
  if (!fake::Main().OnThread()) fake::Violation("get_concurrency off the main thread");
  return 2;
}

void* CALLBACK(scheduler_new)(void* filter) {
  return new fake::FilterScheduler{ToConnection(filter).weak_from_this()};
}
void CALLBACK(scheduler_delete)(void* scheduler) {
  delete static_cast<fake::FilterScheduler*>(scheduler);
}
void CALLBACK(scheduler_commit)(void* scheduler, uint64_t event_id) {
  const std::weak_ptr<Connection> weak = static_cast<fake::FilterScheduler*>(scheduler)->connection;
  const std::shared_ptr<Connection> strong = weak.lock();
  if (strong == nullptr) return;
  strong->commits++;
  strong->worker.Post([weak, event_id] {
    if (const auto c = weak.lock()) {
      const fake::Hook hook(c.get());
      envoy_dynamic_module_on_network_filter_scheduled(c.get(), c->module, event_id);
    }
  });
  std::this_thread::yield();  // a chance for others to let go first
}
void* CALLBACK(config_scheduler_new)(void* config) {
  return new fake::ConfigScheduler{static_cast<fake::Config*>(config)->weak_from_this()};
}
void CALLBACK(config_scheduler_delete)(void* scheduler) {
  delete static_cast<fake::ConfigScheduler*>(scheduler);
}
void CALLBACK(config_scheduler_commit)(void* scheduler, uint64_t event_id) {
  const std::weak_ptr<fake::Config> weak = static_cast<fake::ConfigScheduler*>(scheduler)->config;
  const std::shared_ptr<fake::Config> strong = weak.lock();
  if (strong == nullptr) return;
  strong->commits++;
  fake::Main().Post([weak, event_id] {
    if (const auto c = weak.lock()) {
      envoy_dynamic_module_on_network_filter_config_scheduled(c->module, event_id);
    }
  });
  std::this_thread::yield();
}

size_t CALLBACK(get_read_buffer_size)(void* f) { return fake::Size(ToConnection(f).read_buffer); }
size_t CALLBACK(get_read_buffer_chunks_size)(void* f) {
  ToConnection(f).CheckThread("get_read_buffer_chunks_size");
  return ToConnection(f).read_buffer.size();
}
bool CALLBACK(get_read_buffer_chunks)(void* f, EnvoyBuffer* out) {
  return GetChunks(&ToConnection(f).read_buffer, out);
}
size_t CALLBACK(get_write_buffer_chunks_size)(void* f) {
  const auto* buffer = ToConnection(f).write_buffer;
  return buffer == nullptr ? 0 : buffer->size();
}
bool CALLBACK(get_write_buffer_chunks)(void* f, EnvoyBuffer* out) {
  return GetChunks(ToConnection(f).write_buffer, out);
}
bool CALLBACK(drain_read_buffer)(void* f, size_t size) {
  ToConnection(f).CheckThread("drain_read_buffer");
  ToConnection(f).calls.push_back("drain_read " + std::to_string(size));
  return DrainBuffer(&ToConnection(f).read_buffer, size);
}
bool CALLBACK(drain_write_buffer)(void* f, size_t size) {
  ToConnection(f).CheckThread("drain_write_buffer");
  ToConnection(f).calls.push_back("drain_write " + std::to_string(size));
  return DrainBuffer(ToConnection(f).write_buffer, size);
}
bool CALLBACK(prepend_read_buffer)(void* f, ModuleBuffer data) {
  if (!ToConnection(f).read_buffer_known || data.length == 0) return false;
  ToConnection(f).read_buffer.push_front(Text(data));
  return true;
}
bool CALLBACK(append_read_buffer)(void* f, ModuleBuffer data) {
  if (!ToConnection(f).read_buffer_known || data.length == 0) return false;
  ToConnection(f).read_buffer.push_back(Text(data));
  return true;
}
bool CALLBACK(append_write_buffer)(void* f, ModuleBuffer data) {
  if (ToConnection(f).write_buffer == nullptr || data.length == 0) return false;
  ToConnection(f).write_buffer->push_back(Text(data));
  return true;
}
void CALLBACK(write)(void* f, ModuleBuffer data, bool end) {
  Connection& c = ToConnection(f);
  c.CheckThread("write");
  if (c.in_write > 0) fake::Violation("write inside on_write");
  if (!c.open) fake::Violation("write after the close");
  c.calls.push_back("write " + std::to_string(data.length));
  c.Write(Text(data), end);
}
void CALLBACK(inject_read_data)(void* f, ModuleBuffer data, bool end) {
  Connection& c = ToConnection(f);
  c.CheckThread("inject_read_data");
  c.calls.push_back("inject_read " + std::to_string(data.length));
  if (!c.open) fake::Violation("injected after the close");
  if (!c.open) return;
  c.StartNext();
  if (!c.upstream_host && !c.options.early_data) {
    fake::Violation("injected before tcp_proxy has an upstream");
    return;
  }
  c.to_upstream += Text(data);
  c.to_upstream_ended |= end;
}
void CALLBACK(continue_reading)(void* f) {
  Connection& c = ToConnection(f);
  c.CheckThread("continue_reading");
  c.calls.push_back("continue_reading");
  c.PassOn();
}
void CALLBACK(close_with_details)(void* f,
                                  envoy_dynamic_module_type_network_connection_close_type type,
                                  ModuleBuffer) {
  Connection& c = ToConnection(f);
  c.CheckThread("close");
  if (c.in_write > 0) fake::Violation("close inside on_write");
  if (!c.open) fake::Violation("close after the close");
  if (type == envoy_dynamic_module_type_network_connection_close_type_FlushWrite && c.unsent > 0) {
    c.calls.push_back("flush");
    c.closing = true;
    return;
  }
  c.CloseNow(rocketmq_proxy::kLocalClose, std::to_string(static_cast<int>(type)));
}
bool CALLBACK(get_local_address)(void* f, EnvoyBuffer* ip, uint32_t* port) {
  *ip = {ToConnection(f).local_ip.data(), ToConnection(f).local_ip.size()};
  *port = 10911;
  return true;
}
bool CALLBACK(get_remote_address)(void* f, EnvoyBuffer* ip, uint32_t* port) {
  *ip = {ToConnection(f).remote_ip.data(), ToConnection(f).remote_ip.size()};
  *port = 40000;
  return true;
}
bool CALLBACK(get_direct_remote_address)(void*, EnvoyBuffer* ip, uint32_t* port) {
  static constexpr std::string_view kBalancer = "10.9.9.9";
  *ip = {kBalancer.data(), kBalancer.size()};
  *port = 50000;
  return true;
}
uint32_t CALLBACK(get_worker_index)(void* f) { return ToConnection(f).worker.index; }
envoy_dynamic_module_type_network_read_disable_status CALLBACK(read_disable)(void* f,
                                                                             bool disable) {
  Connection& c = ToConnection(f);
  c.CheckThread("read_disable");
  c.read_disable_calls++;
  c.read_disabled += disable ? 1 : -1;
  if (c.read_disabled < 0) fake::Violation("read_disable is out of balance");
  return envoy_dynamic_module_type_network_read_disable_status_NoTransition;
}
bool CALLBACK(read_enabled)(void* f) { return ToConnection(f).read_disabled == 0; }
bool CALLBACK(has_upstream_host)(void* f) { return ToConnection(f).upstream_host; }

bool envoy_dynamic_module_callback_network_get_filter_state_bytes(void* f, ModuleBuffer key,
                                                                  EnvoyBuffer* out) {
  ToConnection(f).CheckThread("get_filter_state_bytes");
  const auto& state = ToConnection(f).state;
  const auto found = state.find(Text(key));
  if (found == state.end()) return false;
  *out = {found->second.data(), found->second.size()};
  return true;
}

bool envoy_dynamic_module_callback_network_set_filter_state_typed(void* f, ModuleBuffer key,
                                                                  ModuleBuffer value) {
  ToConnection(f).CheckThread("set_filter_state_typed");
  rocketmq_proxy::SocketAddress address;
  if (!rocketmq_proxy::ParseAddress(Text(value), &address)) return false;
  ToConnection(f).state[Text(key)] = Text(value);
  return true;
}

MetricsResult CALLBACK(config_define_counter)(void* c, ModuleBuffer name, size_t* id) {
  return Define(c, 0, name, id);
}
MetricsResult CALLBACK(config_define_gauge)(void* c, ModuleBuffer name, size_t* id) {
  return Define(c, 1, name, id);
}
MetricsResult CALLBACK(config_define_histogram)(void* c, ModuleBuffer name, size_t* id) {
  return Define(c, 2, name, id);
}
MetricsResult CALLBACK(config_increment_counter)(void* c, size_t id, uint64_t v) {
  return Change(ConfigOf(c, "config_increment_counter"), 0, id,
                [v](int64_t& s) { s += static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(config_increment_gauge)(void* c, size_t id, uint64_t v) {
  return Change(ConfigOf(c, "config_increment_gauge"), 1, id,
                [v](int64_t& s) { s += static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(config_decrement_gauge)(void* c, size_t id, uint64_t v) {
  return Change(ConfigOf(c, "config_decrement_gauge"), 1, id,
                [v](int64_t& s) { s -= static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(config_record_histogram_value)(void* c, size_t id, uint64_t v) {
  if (!fake::Main().OnThread()) fake::Violation("histogram value off the main thread");
  return Record(ConfigOf(c, "config_record_histogram_value"), id, v);
}
MetricsResult CALLBACK(increment_counter)(void* f, size_t id, uint64_t v) {
  return Change(ConfigOfFilter(f, "increment_counter"), 0, id,
                [v](int64_t& s) { s += static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(increment_gauge)(void* f, size_t id, uint64_t v) {
  return Change(ConfigOfFilter(f, "increment_gauge"), 1, id,
                [v](int64_t& s) { s += static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(decrement_gauge)(void* f, size_t id, uint64_t v) {
  return Change(ConfigOfFilter(f, "decrement_gauge"), 1, id,
                [v](int64_t& s) { s -= static_cast<int64_t>(v); });
}
MetricsResult CALLBACK(record_histogram_value)(void* f, size_t id, uint64_t v) {
  return Record(ConfigOfFilter(f, "record_histogram_value"), id, v);
}
}
