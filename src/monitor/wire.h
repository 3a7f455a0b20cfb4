// Messages between the engine's Handle, the monitor and its starter: one verb and a struct, packed
// as plain little-endian fields over a seqpacket socket. Both ends are of one build, so there are
// no versions; a text format would make the monitor touch a parser that it never needs again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "monitor/client.h"
#include "monitor/plan.h"
#include "runtime/container.h"
#include "sys/socket.h"

namespace minke::monitor {

enum class Verb : std::uint8_t {
  plan = 1,   // engine -> monitor: SpawnRequest and Plan, descriptors attached
  exec_plan,  // engine -> monitor: ExecPlan
  created,    // init waits before exec
  start,      // engine -> monitor -> starter: let it exec
  started,    // the program runs
  exited,     // monitor -> engine: ExitRecord
  claimed,    // engine -> monitor: the clean-up is mine
  failed,     // an Error
};

class Packer {
 public:
  static constexpr bool kReading = false;
  explicit Packer(Verb verb) : out_(1, static_cast<char>(verb)) {}
  std::string& out() { return out_; }
  template <typename T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) void operator()(const char*, T& field) {
    out_.append(reinterpret_cast<const char*>(&field), sizeof field);
  }
  void operator()(const char* key, std::string& field) {
    auto size = static_cast<std::uint32_t>(field.size());
    (*this)(key, size);
    out_ += field;
  }
  template <typename T>
  void operator()(const char* key, std::vector<T>& field) {
    auto size = static_cast<std::uint32_t>(field.size());
    (*this)(key, size);
    for (T& item : field) (*this)(key, item);
  }
  template <typename T>
  requires(std::is_class_v<T>) void operator()(const char*, T& field) { describe(*this, field); }

 private:
  std::string out_;
};

// The opposite. A message that ends early leaves the rest of the fields as they are and is an error
// at the end.
class Unpacker {
 public:
  static constexpr bool kReading = true;
  explicit Unpacker(std::string_view in) : in_(in) {
    if (!in_.empty()) verb_ = static_cast<Verb>(in_[0]), in_.remove_prefix(1);
  }
  Verb verb() const { return verb_; }
  Status finish() const {
    if (short_ || !in_.empty()) return Error(Errc::corrupt, "monitor message: wrong length");
    return {};
  }
  template <typename T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) void operator()(const char*, T& field) {
    std::string_view bytes = take(sizeof field);
    if (!short_) bytes.copy(reinterpret_cast<char*>(&field), sizeof field);
  }
  void operator()(const char* key, std::string& field) {
    std::uint32_t size = 0;
    (*this)(key, size);
    field = take(size);
  }
  template <typename T>
  void operator()(const char* key, std::vector<T>& field) {
    std::uint32_t size = 0;
    (*this)(key, size);
    field.clear();
    while (size-- > 0 && !short_) (*this)(key, field.emplace_back());
  }
  template <typename T>
  requires(std::is_class_v<T>) void operator()(const char*, T& field) { describe(*this, field); }

 private:
  std::string_view take(std::size_t size) {
    if (size > in_.size()) short_ = true;
    if (short_) return {};
    std::string_view piece = in_.substr(0, size);
    in_.remove_prefix(size);
    return piece;
  }
  std::string_view in_;
  Verb verb_{};
  bool short_ = false;
};

// What travels with a plan besides the plan: which descriptors follow it.
struct PlanHeader {
  bool has_stdio[3] = {};  // for passthrough, in this order at the front of the descriptors
  bool attach = false;     // then one socket of a client that is attached from the start
  bool attach_stdin = false;
  bool has_lock = false;  // then the container's lock
  bool has_root = false;  // then a mount of its root
  std::uint16_t rows = 0,
                columns = 0;  // of the user's terminal, so that the program finds them at its start
};                            // then plan.preserve_fds descriptors

struct CreatedMessage {
  StateRecord state;
  std::vector<std::string> warnings;
  bool has_poststop = false;
};

template <typename B>
void describe(B& b, LogPlan& l) {
  b("driver", l.driver);
  b("path", l.path);
  b("max_size", l.max_size);
  b("max_files", l.max_files);
  b("tag", l.tag);
}
template <typename B>
void describe(B& b, EventSink& e) {
  b("backend", e.backend);
  b("path", e.path);
  b("max_size", e.max_size);
}
template <typename B>
void describe(B& b, Attribute& a) {
  b("key", a.key);
  b("value", a.value);
}
template <typename B>
void describe(B& b, runtime::OverlayRoot& o) {
  b("lower", o.lower);
  b("upper", o.upper);
  b("work", o.work);
  b("userxattr", o.userxattr);
  b("volatile", o.volatile_);
  b("fuse_program", o.fuse_program);
}
template <typename B>
void describe(B& b, RestartPlan& r) {
  b("policy", r.policy);
  b("retries", r.retries);
  b("count", r.count);
  b("delay_ms", r.delay_ms);
  b("command", r.command);
}
template <typename B>
void describe(B& b, HealthCheck& c) {
  b("test", c.test);
  b("interval", c.interval);
  b("timeout", c.timeout);
  b("retries", c.retries);
}
template <typename B>
void describe(B& b, HealthPlan& h) {
  b("check", h.check);
  b("startup", h.startup);
  b("startup_successes", h.startup_successes);
  b("start_period", h.start_period);
  b("on_failure", h.on_failure);
  b("log_destination", h.log_destination);
  b("max_log_count", h.max_log_count);
  b("max_log_size", h.max_log_size);
  b("no_events", h.no_events);
}
template <typename B>
void describe(B& b, NetdPlan& n) {
  b("runroot", n.runroot);
  b("command", n.command);
  b("listeners", n.listeners);
}
template <typename B>
void describe(B& b, Plan& p) {
  b("id", p.id);
  b("name", p.name);
  b("image_name", p.image_name);
  b("bundle", p.bundle);
  b("run_dir", p.run_dir);
  b("overlay", p.overlay);
  b("runtime", p.runtime);
  b("runtime_flags", p.runtime_flags);
  b("cgroup_manager", p.cgroup_manager);
  b("tolerate_missing_cgroup", p.tolerate_missing_cgroup);
  b("no_new_keyring", p.no_new_keyring);
  b("terminal", p.terminal);
  b("stdin_open", p.stdin_open);
  b("stdin_once", p.stdin_once);
  b("log", p.log);
  b("timeout", p.timeout);
  b("pid_file", p.pid_file);
  b("monitor_pid_file", p.monitor_pid_file);
  b("sdnotify", p.sdnotify);
  b("cleanup_command", p.cleanup_command);
  b("preserve_fds", p.preserve_fds);
  b("remove_at_exit", p.remove_at_exit);
  b("secret_env", p.secret_env);
  b("events", p.events);
  b("labels", p.labels);
  b("restart", p.restart);
  b("health", p.health);
  b("stop_signal", p.stop_signal);
  b("stop_timeout", p.stop_timeout);
  b("netd", p.netd);
  b("keep_created", p.keep_created);
  b("tied", p.tied);
}
template <typename B>
void describe(B& b, StateRecord& s) {
  b("status", s.status);
  b("pid", s.pid);
  b("start_time", s.start_time);
  b("monitor_pid", s.monitor_pid);
  b("monitor_start_time", s.monitor_start_time);
  b("started_at", s.started_at);
  b("cgroup", s.cgroup);
}
template <typename B>
void describe(B& b, ExitRecord& e) {
  b("exit_code", e.exit_code);
  b("oom_killed", e.oom_killed);
  b("timed_out", e.timed_out);
  b("started_at", e.started_at);
  b("finished_at", e.finished_at);
  b("error", e.error);
}
template <typename B>
void describe(B& b, PlanHeader& h) {
  for (bool& has : h.has_stdio) b("stdio", has);
  b("attach", h.attach);
  b("attach_stdin", h.attach_stdin);
  b("lock", h.has_lock);
  b("root", h.has_root);
  b("rows", h.rows);
  b("columns", h.columns);
}
template <typename B>
void describe(B& b, CreatedMessage& c) {
  b("state", c.state);
  b("warnings", c.warnings);
  b("poststop", c.has_poststop);
}

// A verb alone, or with one struct.
std::string pack(Verb verb);
template <typename... T>
std::string pack(Verb verb, T&... parts) {
  Packer packer(verb);
  (packer("", parts), ...);
  return std::move(packer.out());
}
std::string pack_error(const Error& error);
// The error in a `failed` message.
Error unpack_error(std::string_view message);

// Reads one message whole, whatever its size (a plan may name 500 layers): sized first, so that the
// buffer is no larger than the message. An empty one means that the peer has closed.
Result<sys::Message> receive_sized(int socket);
// Lets a large message through in one piece.
void raise_send_buffer(int socket);

}  // namespace minke::monitor
