#include "netd/spare.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

namespace minke::netd {
namespace {

constexpr std::int64_t kQuiet = 10 * kSecond;

sys::UniqueFd some_descriptor() { return sys::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

SpareDescriptor::SpareDescriptor() : spare_(some_descriptor()) {}

sys::UniqueFd SpareDescriptor::accept(int listener, const char* what, sockaddr* peer,
                                      socklen_t* size) {
  sys::UniqueFd fd(::accept4(listener, peer, size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd || (errno != EMFILE && errno != ENFILE)) return fd;
  const int error = errno;
  if (!spare_) spare_ = some_descriptor();
  spare_.reset();
  sys::UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = some_descriptor();
  const std::int64_t now = monotonic_ns();
  if (last_complaint_ == 0 || now - last_complaint_ >= kQuiet) {
    last_complaint_ = now;
    log::error(concat(what, ": ", std::strerror(error),
                      ": somebody was turned away (limit of open files: ulimit -Hn)"));
  }
  return {};
}

}  // namespace minke::netd
