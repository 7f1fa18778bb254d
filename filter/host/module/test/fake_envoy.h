// SPDX-License-Identifier: Apache-2.0
//
// As much of Envoy as a network filter module sees: workers, a connection with its filter chain
// (ours and, in the chained role, a tcp_proxy behind it), schedulers and metrics. It keeps to the
// habits of the real one that matter: schedulers hold the filter strongly while they commit,
// filters are destroyed by whoever lets go of them last, and callbacks belong on the worker.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fake {

class Worker {
 public:
  explicit Worker(uint32_t index);
  ~Worker();
  void Post(std::function<void()> task);
  void Run(const std::function<void()>& task);  // waits; a task of its own runs in place
  void Drain() {
    Run([] {});
    Run([] {});
  }
  bool OnThread() const { return std::this_thread::get_id() == thread_.get_id(); }
  const uint32_t index;

 private:
  void Loop();
  std::mutex mu_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::thread thread_;
};

Worker& Main();
Worker& WorkerAt(uint32_t index);  // 0, 1

// What was logged, and what callbacks were used against their rules. Taken out by reading.
std::vector<std::string> TakeLogs();
std::vector<std::string> TakeViolations();

class Config : public std::enable_shared_from_this<Config> {
 public:
  // Null if the module rejects it.
  static std::shared_ptr<Config> Create(const std::string& filter_name, const std::string& bytes);
  ~Config();

  struct Metric {
    int type;
    std::string name;
  };
  const void* module = nullptr;
  std::mutex mu;
  bool frozen = false;
  std::vector<Metric> metrics;  // id - 1
  std::atomic<int> commits{0};
  bool destroying = false;
};

// Stats are the server's: the same name is the same stat.
int64_t Stat(const std::string& name);
std::vector<uint64_t> Samples(const std::string& name);
void ResetStats();

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Options {
    bool tcp_proxy = false;
    bool early_data = false;       // tcp_proxy reads before its upstream is there
    bool upstream_at_once = true;  // tcp_proxy has its upstream as soon as it starts
    bool close_at_start = false;   // tcp_proxy finds no host
    bool close_at_write = false;   // by a filter in front
    size_t high_watermark = 64 << 10;
    bool start = true;  // run new_connection
  };
  static std::shared_ptr<Connection> Create(const std::shared_ptr<Config>& config, Worker& worker);
  static std::shared_ptr<Connection> Create(const std::shared_ptr<Config>& config, Worker& worker,
                                            Options options);
  ~Connection();

  // Events from outside. On any thread; they wait for the worker.
  void ClientSends(const std::vector<std::string>& chunks, bool end = false);
  void UpstreamSends(const std::string& data, bool end = false);
  void ClientReads(size_t size);  // takes so much out of the write buffer
  void Close(int event);
  void ConnectUpstream();  // tcp_proxy's upstream is there now
  void Event(int event);

  // Everything below belongs to the worker; tests read it when nothing runs, or through Run.
  template <typename T>
  T Get(T Connection::* field) {
    T value;
    worker.Run([&] { value = this->*field; });
    return value;
  }

  Worker& worker;
  const std::shared_ptr<Config> config;
  const Options options;
  const void* module = nullptr;
  bool open = true;
  int status_of_new = -1;
  int last_status = -1;
  int in_hook = 0;
  int in_write = 0;
  std::vector<std::string> calls;  // callbacks that do something, in order
  std::deque<std::string> read_buffer;
  bool read_buffer_known = false;  // since the first read
  std::deque<std::string>* write_buffer = nullptr;
  std::string to_client;  // all that was written
  bool to_client_ended = false;
  size_t unsent = 0;  // of it, in Envoy's write buffer
  bool above = false;
  bool client_stalled = false;
  bool closing = false;     // once what is unsent has been sent
  std::string to_upstream;  // all that tcp_proxy took
  bool to_upstream_ended = false;
  bool read_ended = false;
  bool next_started = false;
  bool upstream_host = false;
  int read_disabled = 0;
  int read_disable_calls = 0;
  std::map<std::string, std::string> state;
  std::atomic<int> commits{0};
  std::string local_ip = "10.0.0.1";
  std::string remote_ip = "2001:db8::7";  // as a listener filter has restored it

  // For the callbacks.
  void Write(const std::string& data, bool end);
  void StartNext();
  void PassOn();
  void CloseNow(int event, const std::string& how);
  void CheckThread(const char* callback);

  Connection(Worker& w, std::shared_ptr<Config> c, Options o);
};

}  // namespace fake
