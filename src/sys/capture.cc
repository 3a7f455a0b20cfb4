#include "sys/capture.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/str.h"

namespace minke::sys {
namespace {

using Clock = std::chrono::steady_clock;

int left_ms(Clock::time_point end) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

struct Stream {
  UniqueFd fd;
  std::string* text;
};

// Reads what is there; false at the end.
Result<bool> read_some(Stream& stream, std::size_t max, std::string_view what) {
  char buffer[16384];
  ssize_t got = ::read(stream.fd.get(), buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got < 0) return Error::from_errno(errno, concat("read from ", what));
  if (got == 0) return false;
  if (stream.text->size() + static_cast<std::size_t>(got) > max)
    return Error(Errc::invalid_argument, concat(what, ": says more than ", max, " bytes"));
  stream.text->append(buffer, static_cast<std::size_t>(got));
  return true;
}

Status read_streams(Stream (&streams)[2], Clock::time_point end, std::size_t max,
                    std::string_view what) {
  while (streams[0].fd || streams[1].fd) {
    pollfd polled[2];
    for (int i = 0; i < 2; ++i) polled[i] = {streams[i].fd ? streams[i].fd.get() : -1, POLLIN, 0};
    int ready = ::poll(polled, 2, left_ms(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Error::from_errno(errno, "poll");
    if (ready == 0) return Error(Errc::timeout, concat(what, ": did not answer in time"));
    for (int i = 0; i < 2; ++i)
      if (polled[i].revents != 0 && !TRY(read_some(streams[i], max, what))) streams[i].fd.reset();
  }
  return {};
}

}  // namespace

Result<Captured> capture(SpawnOptions program, std::string_view input, std::string_view what,
                         CaptureLimits limits) {
  UniqueFd data = TRY(make_memfd("input", input));
  auto [out_reader, out_writer] = TRY(make_pipe());
  auto [err_reader, err_writer] = TRY(make_pipe());
  program.stdio[0] = data.get();
  program.stdio[1] = out_writer.get();
  program.stdio[2] = err_writer.get();
  Clock::time_point end = Clock::now() + std::chrono::milliseconds(limits.timeout_ms);
  Spawned child = TRY_CTX(spawn(program), what);
  out_writer.reset();
  err_writer.reset();
  Captured captured;
  Stream streams[] = {{std::move(out_reader), &captured.out},
                      {std::move(err_reader), &captured.err}};
  Status read = read_streams(streams, end, limits.max_output, what);
  // It may close both and live on.
  if (read && !TRY(child.pidfd.wait_exit(left_ms(end))))
    read = Error(Errc::timeout, concat(what, ": did not end in time"));
  if (!read) ignore(child.pidfd.kill(SIGKILL), "it may have ended by itself");
  int status = TRY(wait_pid(child.pid));
  TRY(std::move(read));
  captured.exit_code = exit_code_of(status);
  return captured;
}

std::optional<std::string> find_in_path(const std::string& name) {
  const char* path = ::getenv("PATH");
  if (path == nullptr) path = "/usr/local/bin:/usr/bin:/bin";
  for (std::string_view folder : split(path, ':')) {
    if (!folder.starts_with('/')) continue;  // never what happens to lie where one stands
    std::string file = concat(folder, "/", name);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

}  // namespace minke::sys
