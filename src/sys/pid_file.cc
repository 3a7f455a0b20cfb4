#include "sys/pid_file.h"

#include "base/str.h"
#include "sys/fd.h"

namespace minke::sys {

Status write_pid_file(const std::string& path, pid_t pid) {
  std::uint64_t start = TRY(process_start_time(pid));
  return write_file(path, concat(pid, " ", start, "\n"), 0600);
}

Result<Pidfd> open_pid_file(const std::string& path) {
  std::string text = TRY(read_small_file(path, 64));
  auto fields = split_once(trim(text), ' ');
  auto pid = fields ? parse_int(fields->first) : std::nullopt;
  auto start = fields ? parse_uint(fields->second) : std::nullopt;
  if (!pid || !start || *pid <= 0)
    return Error(Errc::not_found, concat(path, ": names no process"));
  return Pidfd::open(static_cast<pid_t>(*pid), *start);
}

}  // namespace minke::sys
