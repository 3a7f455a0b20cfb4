// minke-netd: started by minke for an engine's networks, with N (or the host's network namespace)
// as descriptor 3. The first process waits until the second one, which stays, answers.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/log.h"
#include "base/str.h"
#include "netd/daemon.h"

namespace {

using minke::Errc;
using minke::Error;
using minke::Status;

constexpr int kNetns = 3;

void say(const std::string& text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(1);
}

Status read_words(int argc, char** argv, minke::netd::DaemonOptions* options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--rootless") {
      options->rootless = true;
      continue;
    }
    if (i + 1 == argc) return Error(Errc::invalid_argument, minke::concat("no value for ", word));
    std::string value = argv[++i];
    if (word == "--root")
      options->root = value;
    else if (word == "--runroot")
      options->runroot = value;
    else if (word == "--user")
      options->user = value;
    else if (word == "--uid")
      options->uid = static_cast<uid_t>(minke::parse_uint(value).value_or(0));
    else if (word == "--uplink")
      options->uplink = value;
    else
      return Error(Errc::invalid_argument, minke::concat("unknown option ", word));
  }
  if (options->root.empty() || options->runroot.empty() || ::fcntl(kNetns, F_GETFD) < 0)
    return Error(Errc::invalid_argument, "minke-netd is started by minke, not by hand");
  return {};
}

// Of the terminal and the folder of whoever was first, nothing stays. What is said goes to a file.
void leave_starter(const std::string& runroot) {
  ::setsid();
  int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  int log = ::open((runroot + "/netd.log").c_str(),
                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  for (int i = 0; i < 3; ++i) ::dup2(i == 2 && log >= 0 ? log : null, i);
  ::close(null);
  ::close(log);
  if (::chdir("/") < 0) ::_exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  minke::netd::DaemonOptions options;
  if (Status good = read_words(argc, argv, &options); !good) {
    say(good.error().message() + "\n");
    return 125;
  }
  ::syscall(SYS_close_range, kNetns + 1, ~0U, 0);
  ::fcntl(kNetns, F_SETFD, FD_CLOEXEC);
  options.netns.reset(kNetns);
  if (const char* portd = ::getenv("MINKE_PORTD_SOCKET")) options.portd = portd;
  minke::log::set_syslog(true);
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) < 0) return 125;
  pid_t pid = ::fork();
  if (pid < 0) return 125;
  if (pid > 0) {
    ::close(ready[1]);
    std::string text;
    char buffer[512];
    for (ssize_t n; (n = ::read(ready[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    if (text == "+") return 0;
    say(text.empty() ? "it ended at its start" : text);
    return 125;
  }
  ::close(ready[0]);
  leave_starter(options.runroot);
  ::prctl(PR_SET_NAME, "minke-netd");
  bool told = false;
  auto tell = [&](std::string_view text) {
    if (!told && ::write(ready[1], text.data(), text.size()) < 0) ::_exit(1);
    told = true;
    ::close(ready[1]);
  };
  Status done = minke::netd::run_daemon(std::move(options), [&] { tell("+"); });
  if (!done) {
    if (told)
      minke::log::error(done.error().message());
    else
      tell(done.error().message());
    return 1;
  }
  return 0;
}
