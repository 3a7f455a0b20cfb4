// Log files of both formats as something foreign may have left them: records, whole files, and
// where the last lines begin.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/str.h"
#include "monitor/log_reader.h"
#include "sys/fd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  sys::UniqueFd fd(::memfd_create("log", MFD_CLOEXEC));
  if (!fd || ::write(fd.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  for (auto format : {monitor::LogFormat::k8s, monitor::LogFormat::json}) {
    for (std::string_view line : split(text, '\n'))
      if (auto record = monitor::parse_record(format, line);
          record && record->text.size() > line.size())
        __builtin_trap();
    for (std::int64_t wanted : {0, 1, 3, 1000}) {
      monitor::TailFinder tail(format, wanted);
      auto at = tail.find(fd.get());
      if (at && (*at < 0 || *at > static_cast<std::int64_t>(size))) __builtin_trap();
      if (tail.to_skip()[0] < 0 || tail.to_skip()[1] < 0) __builtin_trap();
    }
  }
  return 0;
}
