#include "monitor/event_log.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/str.h"
#include "monitor/log_writer.h"
#include "sys/fd.h"

namespace minke::monitor {
namespace {

void append_text(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  if (out.size() > 1) out += ',';
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
}

std::string attributes_json(const Event& event) {
  std::string out = "{";
  for (const auto& [key, value] : event.attributes) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  }
  return out + '}';
}

std::string utc_stamp(TimeNs time) {
  char stamp[32];
  return std::string(stamp, format_stamp(time, stamp)) + 'Z';
}

// PATH becomes PATH.1. Of several that find the file full one does it; who holds the old file open
// at this moment appends to PATH.1, which readers take first.
void rotate(const EventSink& sink, int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) < 0) return;
  struct stat ours {
  }, named{};
  if (::fstat(fd, &ours) == 0 && ::stat(sink.path.c_str(), &named) == 0 &&
      ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
    ::rename(sink.path.c_str(), concat(sink.path, ".1").c_str());
}

Result<sys::UniqueFd> open_log(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NOFOLLOW;
  auto fd = sys::open(path, kFlags, 0600);
  if (fd || fd.error().sys() != ENOENT) return fd;
  TRY(sys::ensure_dirs(path.substr(0, path.rfind('/')), 0700));
  return sys::open(path, kFlags, 0600);
}

Status append_to_file(const EventSink& sink, const Event& event) {
  std::string line = event_json(event);
  line += '\n';
  sys::UniqueFd fd = TRY(open_log(sink.path));
  ssize_t written;
  do {
    written = ::write(fd.get(), line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return Error::from_errno(errno, concat("write ", sink.path));
  if (sink.max_size <= 0) return {};
  // After an append the descriptor stands at the end: no other call tells the size as cheaply.
  off_t size = ::lseek(fd.get(), 0, SEEK_CUR);
  if (size > sink.max_size / 2) rotate(sink, fd.get());
  return {};
}

void append_field(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  std::uint64_t size = value.size();
  out += key;
  out += '\n';
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += value;
  out += '\n';
}

// The fields are Podman's.
Status send_to_journal(const Event& event) {
  std::string stamp = utc_stamp(event.time), record = "PRIORITY=6\nSYSLOG_IDENTIFIER=minke\n";
  append_field(record, "MESSAGE", event_text(event, stamp, false));
  append_field(record, "PODMAN_EVENT", event.status);
  append_field(record, "PODMAN_TYPE", event.type);
  append_field(record, "PODMAN_TIME", stamp);
  append_field(record, "PODMAN_ID", event.id);
  append_field(record, "PODMAN_NAME", event.name);
  append_field(record, "PODMAN_IMAGE", event.image);
  append_field(record, "PODMAN_NETWORK_NAME", event.network);
  append_field(record, "PODMAN_HEALTH_STATUS", event.health_status);
  append_field(record, "PODMAN_HEALTH_LOG", event.health_log);
  if (event.health_failing_streak != 0)
    append_field(record, "PODMAN_HEALTH_FAILING_STREAK", concat(event.health_failing_streak));
  append_field(record, "ERROR", event.error);
  if (event.has_exit_code) append_field(record, "PODMAN_EXIT_CODE", concat(event.exit_code));
  if (!event.attributes.empty()) append_field(record, "PODMAN_LABELS", attributes_json(event));
  sys::UniqueFd socket = TRY(connect_journal());
  // Never waits for a journal whose queue is full: the event is lost, the container goes on.
  if (::send(socket.get(), record.data(), record.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return Error::from_errno(errno, "send to the journal");
  return {};
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20) {
      out += c;
    } else {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

std::string event_json(const Event& event) {
  std::string out = "{";
  out.reserve(320);
  if (event.has_exit_code) out += concat("\"ContainerExitCode\":", event.exit_code);
  append_text(out, "ID", event.id);
  append_text(out, "Image", event.image);
  append_text(out, "Name", event.name);
  append_text(out, "network", event.network);
  append_text(out, "Status", event.status);
  append_text(out, "Time", utc_stamp(event.time != 0 ? event.time : now()));
  append_text(out, "Type", event.type);
  append_text(out, "health_status", event.health_status);
  append_text(out, "health_log", event.health_log);
  if (event.health_failing_streak != 0)
    out += concat(",\"health_failing_streak\":", event.health_failing_streak);
  append_text(out, "Error", event.error);
  out += ",\"Attributes\":";
  out += event.type == "container" || !event.attributes.empty() ? attributes_json(event) : "null";
  return out + '}';
}

std::string event_text(const Event& event, std::string_view time, bool truncate) {
  std::string_view id = event.id;
  if (truncate) id = id.substr(0, 12);
  std::string out = concat(time, ' ', event.type, ' ', event.status);
  if (event.type == "container" || event.type == "pod") {
    out += concat(' ', id, " (image=", event.image, ", name=", event.name);
    if (!event.health_status.empty()) out += concat(", health_status=", event.health_status);
    if (!event.health_log.empty())
      out += concat(", health_failing_streak=", event.health_failing_streak,
                    ", health_log=", event.health_log);
    for (const auto& [key, value] : event.attributes) out += concat(", ", key, '=', value);
    return out + ')';
  }
  if (event.type == "image") {
    out += concat(' ', id, ' ', event.name);
    if (!event.error.empty()) out += concat(' ', event.error);
    return out;
  }
  if (event.type == "network" && !event.attributes.empty())  // of the network itself
    return out + concat(' ', id, " (name=", event.name, ", type=", event.attributes[0].value, ')');
  if (event.type == "network" && !event.id.empty())
    return out + concat(' ', id, " (container=", id, ", name=", event.network, ')');
  if (event.type == "secret") return out + concat(' ', id);
  if (!event.name.empty()) out += concat(' ', event.name);
  return out;
}

Status record_event(const EventSink& sink, const Event& event) {
  if (sink.backend == "none") return {};
  if (sink.backend != "journald") return append_to_file(sink, event);
  Event timed = event;
  if (timed.time == 0) timed.time = now();
  return send_to_journal(timed);
}

}  // namespace minke::monitor
