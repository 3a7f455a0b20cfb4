#include "build/scheduler.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/str.h"
#include "build/stage.h"
#include "sys/process.h"

namespace minke::build {
namespace {

// Of a stage's output at once, so that one that prints without end does not keep the others
// waiting. No pipe holds more (fs.pipe-max-size), so nothing said before a word is missed.
constexpr std::size_t kTurn = 1 << 20;

// What a stage's process says, as JSON behind its length.
struct Word {
  std::string kind;       // begin end warn failed done
  std::string text = {};  // name, error
  bool cached = false;
  std::int32_t code = 0, exit_code = 0;    // failed: Errc and exit code
  std::optional<StageResult> result = {};  // done
};
void bind(json::Binder& b, Word& word) {
  b("kind", word.kind);
  b("text", word.text);
  b("cached", word.cached);
  b("code", word.code);
  b("exit", word.exit_code);
  b("result", word.result);
}

void say(int fd, const Word& word) {
  std::string text = json::dump_struct(word);
  auto size = static_cast<std::uint32_t>(text.size());
  std::string whole(reinterpret_cast<const char*>(&size), sizeof size);
  whole += text;
  ignore(sys::write_all(fd, whole, "the build"), "the build has gone, and so do we");
}

[[noreturn]] void build_in_child(engine::Engine& engine, const Plan& plan, int stage,
                                 const std::map<int, StageResult>& done, int words, int output,
                                 pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  if (auto null_fd = sys::open("/dev/null", O_RDONLY)) ::dup2(null_fd->get(), 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  StageReport report;
  report.begin = [words](const std::string& name) { say(words, {.kind = "begin", .text = name}); };
  report.end = [words](bool cached, const std::string& error) {
    say(words, {.kind = "end", .text = error, .cached = cached});
  };
  report.warn = [words](const std::string& text) { say(words, {.kind = "warn", .text = text}); };
  // What it has made on disk goes before anybody is told.
  auto result = [&] { return StageBuilder(engine, plan, stage, done, report).build(); }();
  {
    Word word;
    if (result) {
      word.kind = "done";
      word.result = std::move(*result);
    } else {
      word.kind = "failed";
      word.text = result.error().message();
      word.code = static_cast<std::int32_t>(result.error().code());
      word.exit_code = result.error().exit_code();
    }
    say(words, word);
  }
  ::_exit(0);
}

struct Worker {
  int stage = 0;
  pid_t pid = -1;
  sys::UniqueFd words, output;
  std::string pending;  // of a word that has not come whole
  bool ended = false;   // it has said its last word
  int vertex = 0;       // that is at work; 0: none
};

class Scheduler {
 public:
  Scheduler(engine::Engine& engine, const Plan& plan, VertexWatch* watch)
      : engine_(engine), plan_(plan), watch_(watch) {}
  ~Scheduler() { stop(); }
  Result<std::map<int, StageResult>> run();

 private:
  bool ready(const StageNode& node) const;
  Status start(const StageNode& node);
  Status wait();
  void read_output(Worker* worker);
  Status read_words(Worker* worker);
  Status hear(Worker* worker, Word word);
  void stop();

  engine::Engine& engine_;
  const Plan& plan_;
  VertexWatch* watch_;
  std::vector<Worker> workers_;
  std::set<int> begun_;
  std::map<int, StageResult> done_;
  std::optional<Error> failed_;
};

bool Scheduler::ready(const StageNode& node) const {
  if (begun_.contains(node.stage)) return false;
  return std::all_of(node.needs.begin(), node.needs.end(),
                     [this](int stage) { return done_.contains(stage); });
}

Status Scheduler::start(const StageNode& node) {
  auto words = TRY(sys::make_pipe());
  auto output = TRY(sys::make_pipe());
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid == 0)
    build_in_child(engine_, plan_, node.stage, done_, words.second.get(), output.second.get(),
                   parent);
  begun_.insert(node.stage);
  Worker& worker = workers_.emplace_back();
  worker.stage = node.stage;
  worker.pid = pid;
  worker.words = std::move(words.first);
  worker.output = std::move(output.first);
  return sys::set_nonblocking(worker.output.get(), true);
}

Result<std::map<int, StageResult>> Scheduler::run() {
  std::size_t jobs = plan_.options.jobs;
  if (jobs == 0) jobs = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  while (done_.size() < plan_.graph.stages.size()) {
    for (const StageNode& node : plan_.graph.stages)
      if (workers_.size() < jobs && ready(node)) TRY(start(node));
    MINKE_CHECK(!workers_.empty());
    TRY(wait());
    if (failed_) return std::move(*failed_);
  }
  return std::move(done_);
}

Status Scheduler::wait() {
  std::vector<pollfd> fds;
  for (const Worker& worker : workers_) {
    fds.push_back({worker.words.get(), POLLIN, 0});
    fds.push_back({worker.output.get(), POLLIN, 0});
  }
  if (::poll(fds.data(), fds.size(), -1) < 0) {
    if (errno == EINTR) return {};
    return Error::from_errno(errno, "poll");
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (fds[2 * i + 1].revents != 0) read_output(&workers_[i]);
    if (fds[2 * i].revents != 0) TRY(read_words(&workers_[i]));
  }
  std::erase_if(workers_, [](const Worker& worker) { return worker.pid < 0; });
  return {};
}

void Scheduler::read_output(Worker* worker) {
  if (!worker->output) return;
  char buffer[16 << 10];
  for (std::size_t taken = 0; taken < kTurn;) {
    ssize_t n = ::read(worker->output.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    taken += static_cast<std::size_t>(n);
    if (n == 0) {
      worker->output.reset();
      return;
    }
    if (worker->vertex > 0)
      watch_->output(worker->vertex, std::string(buffer, static_cast<std::size_t>(n)));
    else
      log::warn(trim(std::string_view(buffer, static_cast<std::size_t>(n))));
  }
}

Status Scheduler::read_words(Worker* worker) {
  char buffer[16 << 10];
  ssize_t n = ::read(worker->words.get(), buffer, sizeof buffer);
  if (n < 0) {
    if (errno == EINTR) return {};
    return Error::from_errno(errno, "read from a stage");
  }
  if (n == 0) {
    int status = TRY(sys::wait_pid(worker->pid));
    worker->pid = -1;
    if (!done_.contains(worker->stage) && !failed_)
      failed_.emplace(Errc::internal,
                      concat("the process of stage ", worker->stage, " ended early (code ",
                             sys::exit_code_of(status), ")"));
    return {};
  }
  worker->pending.append(buffer, static_cast<std::size_t>(n));
  for (;;) {
    std::uint32_t size = 0;
    if (worker->pending.size() < sizeof size) return {};
    std::memcpy(&size, worker->pending.data(), sizeof size);
    if (worker->pending.size() < sizeof size + size) return {};
    auto word =
        json::parse_struct<Word>(std::string_view(worker->pending).substr(sizeof size, size));
    worker->pending.erase(0, sizeof size + size);
    if (!word) return std::move(word.error());
    TRY(hear(worker, std::move(*word)));
  }
}

Status Scheduler::hear(Worker* worker, Word word) {
  // What it printed before it said this is in the pipe already.
  read_output(worker);
  if (word.kind == "begin") {
    worker->vertex = watch_->begin(word.text);
  } else if (word.kind == "end") {
    if (worker->vertex > 0) watch_->end(worker->vertex, word.cached, word.text);
    worker->vertex = 0;
  } else if (word.kind == "warn") {
    log::warn(word.text);
  } else if (word.kind == "failed") {
    worker->ended = true;
    if (!failed_) {
      failed_.emplace(static_cast<Errc>(word.code), word.text);
      if (word.exit_code != 0) failed_ = std::move(*failed_).with_exit(word.exit_code);
    }
  } else if (word.kind == "done" && word.result) {
    done_[worker->stage] = std::move(*word.result);
  }
  return {};
}

// Their containers end with them.
void Scheduler::stop() {
  bool killed = false;
  for (Worker& worker : workers_) {
    if (worker.pid < 0) continue;
    if (!worker.ended) ::kill(worker.pid, SIGKILL);
    killed = killed || !worker.ended;
    ignore(sys::wait_pid(worker.pid), "it has ended or been killed");
    if (worker.vertex > 0) watch_->end(worker.vertex, false, "canceled");
  }
  if (killed) ignore(engine_.store().empty_trash(), "the next command clears what they left");
}

}  // namespace

int VertexWatch::begin(const std::string& name) {
  BuildEvent event;
  event.vertex = ++count_;
  event.name = name;
  if (watch_) watch_(event);
  return count_;
}

void VertexWatch::output(int vertex, std::string data) {
  BuildEvent event;
  event.kind = BuildEvent::Kind::output;
  event.vertex = vertex;
  event.data = std::move(data);
  if (watch_) watch_(event);
}

void VertexWatch::end(int vertex, bool cached, const std::string& error) {
  BuildEvent event;
  event.kind = BuildEvent::Kind::end;
  event.vertex = vertex;
  event.cached = cached;
  event.error = error;
  if (watch_) watch_(event);
}

Status VertexWatch::around(const std::string& name, const std::function<Status()>& work) {
  int vertex = begin(name);
  Status done = work();
  end(vertex, false, done ? "" : done.error().message());
  return done;
}

Result<std::map<int, StageResult>> build_stages(engine::Engine& engine, const Plan& plan,
                                                VertexWatch* watch) {
  return Scheduler(engine, plan, watch).run();
}

}  // namespace minke::build
