#include "cli/progress.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/str.h"
#include "codec/units.h"

namespace minke::cli {
namespace {

constexpr timespec kTick = {0, 250'000'000};
constexpr int kFirstTick = 4;  // nothing is drawn in the first second

std::uint64_t position(int fd, ProgressBar::Measure measure) {
  if (fd < 0) return 0;
  if (measure == ProgressBar::Measure::read_offset) {
    off_t at = ::lseek(fd, 0, SEEK_CUR);  // shared by everyone who has this open file
    return at > 0 ? static_cast<std::uint64_t>(at) : 0;
  }
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? static_cast<std::uint64_t>(st.st_size) : 0;
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void put(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

[[noreturn]] void draw(std::string_view label, int fd, ProgressBar::Measure measure,
                       std::uint64_t total, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(0);
  sigset_t end;
  ::sigemptyset(&end);
  ::sigaddset(&end, SIGTERM);
  int tick = 0;
  while (::sigtimedwait(&end, nullptr, &kTick) < 0) {
    if (++tick < kFirstTick) continue;
    put(concat("\r",
               progress_line(label, position(fd, measure), total,
                             static_cast<std::uint64_t>(tick) / kFirstTick, terminal_width()),
               "\x1b[K"));
  }
  if (tick >= kFirstTick) put("\r\x1b[K");
  ::_exit(0);
}

}  // namespace

void say_copied(const store::Image& image) {
  std::string text;
  for (const oci::Descriptor& layer : image.manifest.layers)
    text += concat("Copying blob ", layer.digest.str(), "\n");
  text += concat("Copying config sha256:", image.id, "\nWriting manifest to image destination\n");
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string progress_line(std::string_view label, std::uint64_t done, std::uint64_t total,
                          std::uint64_t seconds, std::size_t width) {
  std::string amount = done > 0 ? units::human_size(static_cast<double>(done)) : "";
  if (total > 0) amount += concat(" / ", units::human_size(static_cast<double>(total)));
  std::string end = concat(amount, amount.empty() ? "" : "  ", seconds, "s");
  std::string line = concat(label, " ");
  constexpr std::size_t kLeastBar = 10, kMostBar = 40;
  if (total > 0 && width > line.size() + end.size() + kLeastBar + 4) {
    std::size_t room = std::min(width - line.size() - end.size() - 4, kMostBar);
    std::uint64_t part = std::min(done, total) * room / total;
    line += concat("[", std::string(part, '='), std::string(room - part, ' '), "] ");
  }
  line += end;
  return line.substr(0, width > 0 ? width - 1 : 0);
}

ProgressBar::ProgressBar(const std::string& label, int fd, Measure measure, std::uint64_t total) {
  if (::isatty(STDERR_FILENO) != 1) return;
  struct stat st {};
  if (total == 0 && measure == Measure::read_offset && fd >= 0 && ::fstat(fd, &st) == 0 &&
      S_ISREG(st.st_mode))
    total = static_cast<std::uint64_t>(st.st_size);
  // Blocked before the fork, so that an early end is not lost.
  sigset_t end, before;
  ::sigemptyset(&end);
  ::sigaddset(&end, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &end, &before);
  pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) draw(label, fd, measure, total, parent);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

void ProgressBar::stop() {
  if (child_ <= 0) return;
  ::kill(child_, SIGTERM);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
  child_ = -1;
}

}  // namespace minke::cli
