#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace minke {
namespace {

struct ErrcRow {
  Errc code;
  const char* name;
  int http;
};
constexpr ErrcRow kErrcRows[] = {
    {Errc::invalid_argument, "invalid_argument", 400},
    {Errc::not_found, "not_found", 404},
    {Errc::already_exists, "already_exists", 409},
    {Errc::conflict, "conflict", 409},
    {Errc::in_use, "in_use", 409},
    {Errc::permission, "permission", 403},
    {Errc::unsupported, "unsupported", 501},
    {Errc::unavailable, "unavailable", 503},
    {Errc::timeout, "timeout", 504},
    {Errc::corrupt, "corrupt", 500},
    {Errc::io, "io", 500},
    {Errc::internal, "internal", 500},
};

struct ErrnoRow {
  int err;
  Errc code;
};
constexpr ErrnoRow kErrnoRows[] = {
    {ENOENT, Errc::not_found},         {ESRCH, Errc::not_found},
    {EEXIST, Errc::already_exists},    {EBUSY, Errc::in_use},
    {ETXTBSY, Errc::in_use},           {EACCES, Errc::permission},
    {EPERM, Errc::permission},         {EROFS, Errc::permission},
    {EINVAL, Errc::invalid_argument},  {ENAMETOOLONG, Errc::invalid_argument},
    {ENOTDIR, Errc::invalid_argument}, {EISDIR, Errc::invalid_argument},
    {ELOOP, Errc::invalid_argument},   {ENOSYS, Errc::unsupported},
    {EOPNOTSUPP, Errc::unsupported},   {ENODEV, Errc::unsupported},
    {EAGAIN, Errc::unavailable},       {ECONNREFUSED, Errc::unavailable},
    {ETIMEDOUT, Errc::timeout},
};

}  // namespace

const char* errc_name(Errc code) { return kErrcRows[static_cast<int>(code)].name; }
int errc_http_status(Errc code) { return kErrcRows[static_cast<int>(code)].http; }

Error Error::from_errno(int err, std::string_view what) {
  Errc code = Errc::io;
  for (const ErrnoRow& row : kErrnoRows)
    if (row.err == err) code = row.code;
  std::string message(what);
  message += ": ";
  message += ::strerror(err);
  Error error(code, std::move(message));
  error.rep_->sys = err;
  return error;
}

Status ErrorList::to_status() && {
  if (errors_.empty()) return {};
  std::string message;
  for (const Error& error : errors_) {
    if (!message.empty()) message += '\n';
    message += error.message();
  }
  Error all(errors_.front().code(), std::move(message));
  return std::move(all).with_exit(errors_.front().exit_code());
}

namespace detail {
void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "minke: internal fault: %s, at %s:%d\n", what, file, line);
  std::abort();
}
}  // namespace detail

}  // namespace minke
