#include "netd/uplink.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "sys/pid_file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::netd {
namespace {

constexpr std::int64_t kFirstPauseMs = 100, kLongestPauseMs = 10'000, kRanWell = 30 * kSecond;
constexpr int kReadyMs = 5000;
// One that does not say so is ready when it has not ended after this long.
constexpr int kSilentReadyMs = 300;
constexpr const char* kFolders[] = {"/usr/local/bin/", "/usr/bin/", "/bin/"};
// Far above what a link carries: fewer and larger packets cross the helper.
constexpr const char* kMtu = "65520";

std::string find_program(const char* name) {
  for (const char* folder : kFolders)
    if (std::string path = concat(folder, name); ::access(path.c_str(), X_OK) == 0) return path;
  return {};
}

std::string help_of(const std::string& path) {
  auto pipe = sys::make_pipe();
  if (!pipe) return {};
  sys::SpawnOptions spawn;
  spawn.path = path;
  spawn.argv = {path, "--help"};
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = pipe->second.get();
  auto child = sys::spawn(spawn);
  pipe->second.reset();
  if (!child) return {};
  std::string text = sys::read_all(pipe->first.get(), 64 << 10, path).value_or("");
  ignore(sys::wait_pid(child->pid), "only its words count");
  return text;
}

bool knows(const std::string& help, std::string_view option) {
  return help.find(option) != std::string::npos;
}

// "up NAME", "down REASON", "none REASON".
void report(int socket, std::string_view what, std::string_view text) {
  ignore(sys::send_message(socket, concat(what, " ", text)), "netd ended: seen by the next poll");
}

class Keeper {
 public:
  Keeper(int netns, int socket, std::string pid_file)
      : netns_(netns), socket_(socket), pid_file_(std::move(pid_file)) {}
  [[noreturn]] void run(std::vector<UplinkProgram> programs);

 private:
  // Why it ended.
  std::string serve(const UplinkProgram& program);
  bool netd_lives(int timeout_ms);
  bool wait_ready(const UplinkProgram& program, const sys::Spawned& child, int ready);
  int netns_, socket_;
  std::string pid_file_;
  bool was_up_ = false;
};

// netd says nothing: its socket is readable when it has ended.
bool Keeper::netd_lives(int timeout_ms) {
  pollfd netd{socket_, POLLIN, 0};
  return ::poll(&netd, 1, timeout_ms) <= 0;
}

bool Keeper::wait_ready(const UplinkProgram& program, const sys::Spawned& child, int ready) {
  pollfd ends[3] = {{socket_, POLLIN, 0}, {child.pidfd.get(), POLLIN, 0}, {ready, POLLIN, 0}};
  int n = ::poll(ends, program.says_ready ? 3 : 2, program.says_ready ? kReadyMs : kSilentReadyMs);
  if (ends[0].revents != 0 || ends[1].revents != 0) return false;
  return program.says_ready ? n > 0 : true;
}

std::string Keeper::serve(const UplinkProgram& program) {
  auto ready = sys::make_pipe();
  auto life = sys::make_pipe();
  auto said = sys::make_pipe(O_NONBLOCK);
  if (!ready || !life || !said) return "no descriptors";
  sys::SpawnOptions spawn;
  spawn.path = program.path;
  spawn.argv = program.argv;
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = said->second.get();
  spawn.pass_fds = {netns_, ready->second.get(), life->first.get()};
  spawn.die_with_parent = true;
  auto child = sys::spawn(spawn);
  if (!child) return child.error().message();
  ready->second.reset();
  life->first.reset();
  said->second.reset();
  ignore(sys::write_pid_file(pid_file_, child->pid),
         "it only helps the next one to end what this one left");
  bool up = wait_ready(program, *child, ready->first.get());
  if (up) {
    was_up_ = true;
    report(socket_, "up", program.name);
    pollfd ends[3] = {
        {socket_, POLLIN, 0}, {child->pidfd.get(), POLLIN, 0}, {said->first.get(), POLLIN, 0}};
    char sink[4096];
    while (ends[0].revents == 0 && ends[1].revents == 0) {
      if (::poll(ends, 3, -1) < 0 && errno != EINTR) break;
      if ((ends[2].revents & POLLIN) != 0 && ::read(ends[2].fd, sink, sizeof sink) > 0) continue;
      if ((ends[2].revents & POLLHUP) != 0) ends[2].fd = -1;
    }
  }
  ignore(child->pidfd.kill(SIGKILL), "it may have ended");
  int status = sys::wait_pid(child->pid).value_or(0);
  char text[512];
  ssize_t size = up ? 0 : ::read(said->first.get(), text, sizeof text);
  std::string words(trim({text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))}));
  std::replace(words.begin(), words.end(), '\n', ' ');
  return concat(program.name, " ended with ", sys::exit_code_of(status), words.empty() ? "" : ": ",
                words);
}

void Keeper::run(std::vector<UplinkProgram> programs) {
  if (programs.empty()) {
    report(socket_, "none", "neither slirp4netns nor pasta (package passt) is installed");
    ::_exit(0);
  }
  std::int64_t pause = kFirstPauseMs;
  for (std::size_t which = 0; netd_lives(0);) {
    std::int64_t began = monotonic_ns();
    was_up_ = false;
    std::string why = serve(programs[which]);
    if (!netd_lives(0)) break;
    report(socket_, "down", why);
    // One that never served gives way to the next.
    if (!was_up_) which = (which + 1) % programs.size();
    pause =
        monotonic_ns() - began >= kRanWell ? kFirstPauseMs : std::min(pause * 2, kLongestPauseMs);
    if (!netd_lives(static_cast<int>(pause))) break;
  }
  ::unlink(pid_file_.c_str());
  ::_exit(0);
}

// Nothing of netd's stays open here: sockets, and the pipe on which its starter waits.
void close_others(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = 0;
  for (int fd : kept) {
    if (static_cast<unsigned>(fd) > from) ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(from, ~0U, 0);
}

// What a keeper that was killed may have left in N.
void end_left_one(const std::string& pid_file) {
  auto left = sys::open_pid_file(pid_file);
  if (!left) return;
  ignore(left->kill(SIGKILL), "it may have ended");
  ignore(left->wait_exit(2000), "its device goes with it");
}

}  // namespace

bool host_has_v6() {
  auto routes = sys::read_small_file("/proc/net/ipv6_route", 1 << 20);
  if (!routes) return false;
  for (std::string_view line : split(*routes, '\n'))
    if (line.starts_with("00000000000000000000000000000000 00 ") && !line.ends_with(" lo"))
      return true;
  return false;
}

UplinkProgram slirp_uplink(const std::string& path, const std::string& help, bool has_v6) {
  UplinkProgram out{"slirp4netns", path, {path, "--configure", "--mtu=65520"}, true, true};
  if (!knows(help, "--netns-type") || !knows(help, "--ready-fd")) return {};
  for (const char* option : {"--disable-host-loopback", "--disable-dns", "--enable-seccomp"})
    if (knows(help, option)) out.argv.emplace_back(option);
  if (has_v6 && knows(help, "--enable-ipv6")) out.argv.emplace_back("--enable-ipv6");
  for (const char* word :
       {"--ready-fd=4", "--exit-fd=5", "--netns-type=path", "/proc/self/fd/3", "tap0"})
    out.argv.emplace_back(word);
  return out;
}

UplinkProgram pasta_uplink(const std::string& path, const std::string& help, bool has_v6) {
  if (!knows(help, "--config-net") || !knows(help, "--netns")) return {};
  UplinkProgram out{"pasta",
                    path,
                    {path, "--foreground", "--quiet", "--config-net", "--netns-only", "--no-map-gw",
                     "--mtu", kMtu, "-t", "none", "-u", "none", "-T", "none", "-U", "none"},
                    false,
                    false};
  for (const char* option : {"--stderr"})
    if (knows(help, option)) out.argv.emplace_back(option);
  // N keeps addresses of its own: with the host's, the host could not be reached from in there.
  for (const char* word : {"--address", "10.0.2.100", "--netmask", "24", "--gateway", "10.0.2.2"})
    out.argv.emplace_back(word);
  if (!has_v6) out.argv.emplace_back("--ipv4-only");
  for (const char* word : {"--ns-ifname", "tap0", "--netns", "/proc/self/fd/3"})
    out.argv.emplace_back(word);
  return out;
}

std::vector<UplinkProgram> find_uplinks(const std::string& wanted) {
  std::vector<UplinkProgram> found;
  bool v6 = host_has_v6();
  auto add = [&](const char* name, auto make) {
    if (wanted != "auto" && !wanted.empty() && wanted != name) return;
    std::string path = find_program(name);
    if (path.empty()) return;
    UplinkProgram program = make(path, help_of(path), v6);
    if (!program.path.empty()) found.push_back(std::move(program));
  };
  add("slirp4netns", slirp_uplink);
  add("pasta", pasta_uplink);
  return found;
}

Uplink::~Uplink() {
  if (loop_ != nullptr && reports_) loop_->remove(reports_.get());
}

Status Uplink::start(int netns, const std::string& wanted, const std::string& pid_file) {
  if (wanted == "none") {
    state_.trouble = "switched off";
    return {};
  }
  end_left_one(pid_file);
  auto pair = TRY(sys::make_seqpacket_pair());
  // Of this process alone, so that the end of netd is the end of the other side.
  pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid == 0) {
    ::prctl(PR_SET_NAME, "minke-uplink");
    close_others({0, 1, 2, netns, pair.second.get()});
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // Handled, not ignored: that would last beyond exec, and pasta of 2023 does not start with it.
    ::signal(SIGPIPE, [](int) {});
    Keeper(netns, pair.second.get(), pid_file).run(find_uplinks(wanted));
  }
  reports_ = std::move(pair.first);
  return {};
}

bool Uplink::read_report() {
  auto message = sys::receive_message(reports_.get(), 4096);
  if (!message || message->data.empty()) {
    state_.up = false;
    if (state_.trouble.empty()) state_.trouble = "its keeper was killed";
    return false;
  }
  std::string_view text = message->data;
  std::size_t space = text.find(' ');
  std::string_view what = text.substr(0, space);
  std::string rest(space == std::string_view::npos ? "" : text.substr(space + 1));
  if (what == "up") {
    if (!state_.program.empty()) ++state_.restarts;
    state_.program = rest;
    state_.trouble.clear();
    state_.up = true;
  } else {
    state_.up = false;
    state_.trouble = rest;
    log::warn(concat("outbound network: ", rest));
  }
  return true;
}

void Uplink::wait_ready(int timeout_ms) {
  if (!reports_) return;
  pollfd report{reports_.get(), POLLIN, 0};
  if (::poll(&report, 1, timeout_ms) > 0) read_report();
}

Status Uplink::watch(sys::EventLoop& loop) {
  if (!reports_) return {};
  loop_ = &loop;
  return loop.add(reports_.get(), EPOLLIN, [this](std::uint32_t) {
    if (read_report()) return;
    loop_->remove(reports_.get());
    reports_.reset();
  });
}

}  // namespace minke::netd
