#include "runtime/dbus.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "sys/socket.h"

namespace minke::runtime {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "messages are written as they lie in memory");

void DbusWriter::u32(std::uint32_t v) {
  align(4);
  data_.append(reinterpret_cast<const char*>(&v), sizeof v);
}
void DbusWriter::u64(std::uint64_t v) {
  align(8);
  data_.append(reinterpret_cast<const char*>(&v), sizeof v);
}
void DbusWriter::text(std::string_view v) {
  u32(static_cast<std::uint32_t>(v.size()));
  data_ += v;
  data_.push_back('\0');
}
void DbusWriter::signature(std::string_view v) {
  byte(static_cast<std::uint8_t>(v.size()));
  data_ += v;
  data_.push_back('\0');
}
std::size_t DbusWriter::begin_array(std::size_t item_alignment) {
  u32(0);
  std::size_t mark = data_.size() - 4;
  align(item_alignment);
  starts_.push_back(data_.size());
  return mark;
}
void DbusWriter::end_array(std::size_t mark) {
  // The padding before the first item does not count.
  auto length = static_cast<std::uint32_t>(data_.size() - starts_.back());
  starts_.pop_back();
  ::memcpy(data_.data() + mark, &length, sizeof length);
}

void DbusReader::align(std::size_t to) {
  at_ = (at_ + to - 1) / to * to;
  if (at_ > data_.size()) failed_ = true;
}
std::uint8_t DbusReader::byte() {
  if (failed_ || at_ >= data_.size()) return failed_ = true, std::uint8_t{0};
  return static_cast<std::uint8_t>(data_[at_++]);
}
std::uint32_t DbusReader::u32() {
  align(4);
  if (failed_ || data_.size() - at_ < 4) return failed_ = true, 0U;
  std::uint32_t v;
  ::memcpy(&v, data_.data() + at_, 4);
  at_ += 4;
  return v;
}
std::string DbusReader::text() {
  std::uint32_t size = u32();
  if (failed_ || data_.size() - at_ < std::size_t{size} + 1) return failed_ = true, std::string();
  std::string out(data_.substr(at_, size));
  at_ += std::size_t{size} + 1;
  return out;
}
std::string DbusReader::signature() {
  std::size_t size = byte();
  if (failed_ || data_.size() - at_ < size + 1) return failed_ = true, std::string();
  std::string out(data_.substr(at_, size));
  at_ += size + 1;
  return out;
}
void DbusReader::skip(const char** type) {
  switch (*(*type)++) {
    case 'y':
      byte();
      return;
    case 'n':
    case 'q':
      align(2);
      at_ += 2;
      break;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
      u32();
      return;
    case 'x':
    case 't':
    case 'd':
      align(8);
      at_ += 8;
      break;
    case 's':
    case 'o':
      text();
      return;
    case 'g':
      signature();
      return;
    case 'v': {
      std::string inner = signature();
      const char* p = inner.c_str();
      if (!failed_) skip(&p);
      return;
    }
    default:
      failed_ = true;
      return;  // nothing that we read holds arrays in its header
  }
  if (at_ > data_.size()) failed_ = true;
}

namespace {

constexpr std::size_t kMessageMax = 1 << 20;

std::string system_address() {
  for (const char* path : {"/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"})
    if (::access(path, F_OK) == 0) return path;
  return "/run/dbus/system_bus_socket";
}

std::string user_address() {
  if (const char* address = ::getenv("DBUS_SESSION_BUS_ADDRESS")) {
    for (std::string_view part : split(address, ';'))
      if (part.starts_with("unix:path=")) {
        part.remove_prefix(10);
        return std::string(part.substr(0, part.find(',')));
      }
  }
  if (const char* dir = ::getenv("XDG_RUNTIME_DIR")) return concat(dir, "/bus");
  return concat("/run/user/", ::getuid(), "/bus");
}

}  // namespace

Result<DbusConnection> DbusConnection::open(bool user) {
  DbusConnection c;
  c.socket_ = TRY_CTX(sys::connect_unix(user ? user_address() : system_address(), SOCK_STREAM),
                      "systemd's bus");
  TRY(c.authenticate());
  TRY(c.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", ""));
  return c;
}

Result<std::string> DbusConnection::read_exactly(std::size_t size, std::int64_t deadline_ns) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    std::int64_t left = (deadline_ns - monotonic_ns()) / 1000000;
    if (left <= 0) return Error(Errc::timeout, "systemd does not answer");
    struct pollfd entry {
      socket_.get(), POLLIN, 0
    };
    if (::poll(&entry, 1, static_cast<int>(left)) < 0 && errno != EINTR)
      return Error::from_errno(errno, "poll systemd's bus");
    if (entry.revents == 0) continue;
    ssize_t n = ::read(socket_.get(), out.data() + have, size - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "read from systemd's bus");
    if (n == 0) return Error(Errc::unavailable, "systemd's bus has closed the connection");
    have += static_cast<std::size_t>(n);
  }
  return out;
}

// EXTERNAL with an empty identity: the bus takes the one of our socket, which stays right inside a
// user namespace.
Status DbusConnection::authenticate() {
  TRY(sys::write_all(socket_.get(), std::string_view("\0AUTH EXTERNAL\r\nDATA\r\n", 22),
                     "systemd's bus"));
  std::int64_t deadline = monotonic_ns() + 10 * kSecond;
  for (;;) {
    std::string line;
    while (!line.ends_with("\r\n")) {
      if (line.size() > 4096) return Error(Errc::corrupt, "systemd's bus: bad greeting");
      line += TRY(read_exactly(1, deadline));
    }
    if (line.starts_with("DATA")) continue;
    if (!line.starts_with("OK "))
      return Error(Errc::permission, concat("systemd's bus refuses us: ", trim(line)));
    return sys::write_all(socket_.get(), "BEGIN\r\n", "systemd's bus");
  }
}

Result<DbusMessage> DbusConnection::receive(std::int64_t deadline_ns) {
  std::string fixed = TRY(read_exactly(16, deadline_ns));
  if (fixed[0] != 'l') return Error(Errc::unsupported, "systemd's bus speaks big-endian");
  std::uint32_t body_size, fields_size;
  ::memcpy(&body_size, fixed.data() + 4, 4);
  ::memcpy(&fields_size, fixed.data() + 12, 4);
  if (body_size > kMessageMax || fields_size > kMessageMax)
    return Error(Errc::corrupt, "systemd's bus: message too large");
  std::size_t padded = (std::size_t{fields_size} + 7) / 8 * 8;
  std::string rest = TRY(read_exactly(padded + body_size, deadline_ns));
  DbusMessage m;
  m.type = static_cast<std::uint8_t>(fixed[1]);
  // The fields begin at offset 16, which is a multiple of every alignment.
  DbusReader fields(std::string_view(rest).substr(0, fields_size));
  while (!fields.failed() && fields.at() < fields_size) {
    fields.align(8);
    if (fields.at() >= fields_size) break;
    std::uint8_t code = fields.byte();
    std::string type = fields.signature();
    if (type == "u" && code == 5) {
      m.reply_serial = fields.u32();
    } else if (type == "s" || type == "o") {
      std::string value = fields.text();
      if (code == 1) m.path = value;
      if (code == 2) m.interface_ = value;
      if (code == 3) m.member = value;
      if (code == 4) m.error_name = value;
    } else if (type == "g") {
      std::string value = fields.signature();
      if (code == 8) m.signature = value;
    } else {
      const char* p = type.c_str();
      fields.skip(&p);
    }
  }
  if (fields.failed()) return Error(Errc::corrupt, "systemd's bus: bad message");
  m.body = rest.substr(padded);
  return m;
}

Result<DbusMessage> DbusConnection::call(std::string_view path, std::string_view interface_,
                                         std::string_view member, std::string_view signature,
                                         const std::string& body, int timeout_ms) {
  std::string destination(interface_.starts_with("org.freedesktop.DBus")
                              ? "org.freedesktop.DBus"
                              : "org.freedesktop.systemd1");
  DbusWriter w;
  w.byte('l');
  w.byte(1);
  w.byte(0);
  w.byte(1);
  w.u32(static_cast<std::uint32_t>(body.size()));
  w.u32(++serial_);
  std::size_t mark = w.begin_array(8);
  auto field = [&](std::uint8_t code, std::string_view type, std::string_view value) {
    w.align(8);
    w.byte(code);
    w.signature(type);
    if (type == "g")
      w.signature(value);
    else
      w.text(value);
  };
  field(1, "o", path);
  field(6, "s", destination);
  field(2, "s", interface_);
  field(3, "s", member);
  if (!signature.empty()) field(8, "g", signature);
  w.end_array(mark);
  w.align(8);
  TRY(sys::write_all(socket_.get(), w.data() + body, "systemd's bus"));
  std::int64_t deadline = monotonic_ns() + std::int64_t{timeout_ms} * 1000000;
  for (;;) {
    DbusMessage m = TRY(receive(deadline));
    if (m.type == 4) {
      signals_.push_back(std::move(m));
      continue;
    }
    if (m.reply_serial != serial_) continue;
    if (m.type == 2) return m;
    std::string text = m.error_name;
    if (m.signature.starts_with("s")) text = DbusReader(m.body).text();
    return Error(Errc::unavailable, concat("systemd ", member, ": ", text));
  }
}

Result<DbusMessage> DbusConnection::wait_signal(std::string_view member, int timeout_ms) {
  std::int64_t deadline = monotonic_ns() + std::int64_t{timeout_ms} * 1000000;
  for (;;) {
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      if (signals_[i].member != member) continue;
      DbusMessage m = std::move(signals_[i]);
      signals_.erase(signals_.begin() + static_cast<std::ptrdiff_t>(i));
      return m;
    }
    DbusMessage m = TRY(receive(deadline));
    if (m.type == 4) signals_.push_back(std::move(m));
  }
}

}  // namespace minke::runtime
