// Reading the log of events: a scanner for its lines that is fast enough to go through a hundred
// thousand in a moment, and the two files that it is kept in.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/str.h"
#include "engine/events.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using OnEvent = std::function<bool(const monitor::Event&)>;

constexpr std::string_view kKeys[] = {"container", "event",  "image",  "label", "network",
                                      "pod",       "secret", "volume", "type"};
// A line is at most this long: an event whose labels are longer is passed over.
constexpr std::size_t kLineMax = 4 << 20;
constexpr int kPollMs = 200;

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  }
  out += static_cast<char>(0x80 | (code & 0x3f));
}

// JSON as the writer makes it: an object of strings, numbers, null, and one object of strings.
// Escapes beyond the basic plane do not occur in it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool eat(char c) {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool string(std::string* out) {
    if (!eat('"')) return false;
    out->clear();
    for (;;) {
      const char* from = at_;
      while (at_ < end_ && *at_ != '"' && *at_ != '\\') ++at_;
      out->append(from, at_);
      if (at_ == end_) return false;
      if (*at_++ == '"') return true;
      if (!escape(out)) return false;
    }
  }
  bool number(std::int32_t* out) {
    auto [next, fault] = std::from_chars(at_, end_, *out);
    at_ = next;
    return fault == std::errc();
  }
  bool null() {
    if (end_ - at_ < 4 || std::memcmp(at_, "null", 4) != 0) return false;
    at_ += 4;
    return true;
  }
  bool at_end() const { return at_ == end_; }
  char next() const { return at_ < end_ ? *at_ : '\0'; }

 private:
  bool escape(std::string* out) {
    if (at_ == end_) return false;
    char c = *at_++;
    if (c == 'u') {
      if (end_ - at_ < 4) return false;
      unsigned code = 0;
      if (std::from_chars(at_, at_ + 4, code, 16).ptr != at_ + 4) return false;
      at_ += 4;
      append_utf8(*out, code);
      return true;
    }
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    std::size_t which = kFrom.find(c);
    if (which == std::string_view::npos) return false;
    *out += kTo[which];
    return true;
  }

  const char *at_, *end_;
};

bool parse_attributes(Scanner& in, monitor::Event* event) {
  if (!in.eat('{')) return in.null();
  if (in.eat('}')) return true;
  do {
    auto& [key, value] = event->attributes.emplace_back();
    if (!in.string(&key) || !in.eat(':') || !in.string(&value)) return false;
  } while (in.eat(','));
  return in.eat('}');
}

std::string* text_field(monitor::Event* event, std::string_view key, std::string* other) {
  struct Field {
    std::string_view key;
    std::string monitor::Event::*member;
  };
  static constexpr Field kFields[] = {{"ID", &monitor::Event::id},
                                      {"Image", &monitor::Event::image},
                                      {"Name", &monitor::Event::name},
                                      {"Status", &monitor::Event::status},
                                      {"Type", &monitor::Event::type},
                                      {"network", &monitor::Event::network},
                                      {"health_status", &monitor::Event::health_status},
                                      {"health_log", &monitor::Event::health_log},
                                      {"Error", &monitor::Event::error}};
  for (const Field& field : kFields)
    if (field.key == key) return &(event->*field.member);
  return other;
}

// The two files of the log, oldest lines first, and then what is added.
class LogReader {
 public:
  explicit LogReader(std::string path) : path_(std::move(path)) {}

  // False: `on_line` had enough.
  Result<bool> read_kept(const std::function<bool(std::string_view)>& on_line) {
    // The newer one first: should it be moved away meanwhile, it is read once, not twice.
    TRY(open(path_));
    sys::UniqueFd newer = std::move(file_);
    TRY(open(path_ + ".1"));
    if (!same(newer, file_) && !TRY(read_on(on_line))) return false;
    file_ = std::move(newer);
    rest_.clear();
    return read_on(on_line);
  }
  Status skip_kept() {
    TRY(open(path_));
    if (file_ && ::lseek(file_.get(), 0, SEEK_END) < 0)
      return Error::from_errno(errno, concat("seek ", path_));
    return {};
  }
  // What came since, in this file and in the one that took its place.
  Result<bool> read_new(const std::function<bool(std::string_view)>& on_line) {
    if (!TRY(read_on(on_line))) return false;
    if (!replaced()) return true;
    if (!TRY(read_on(on_line))) return false;  // written before the other took its place
    TRY(open(path_));
    return read_on(on_line);
  }

 private:
  Status open(const std::string& path) {
    rest_.clear();
    file_.reset();
    auto file = sys::open(path, O_RDONLY | O_NOCTTY);
    if (file)
      file_ = std::move(*file);
    else if (file.error().code() != Errc::not_found)
      return std::move(file.error());
    return {};
  }
  static bool same(const sys::UniqueFd& a, const sys::UniqueFd& b) {
    struct stat one {
    }, other{};
    return a && b && ::fstat(a.get(), &one) == 0 && ::fstat(b.get(), &other) == 0 &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev;
  }
  bool replaced() const {
    auto named = sys::open(path_, O_PATH);
    return named && !same(file_, *named);
  }
  Result<bool> read_on(const std::function<bool(std::string_view)>& on_line) {
    if (!file_) return true;
    if (buffer_.empty()) buffer_.resize(256 << 10);
    for (;;) {
      ssize_t n = ::read(file_.get(), buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error::from_errno(errno, concat("read ", path_));
      if (n == 0) return true;
      std::string_view data(buffer_.data(), static_cast<std::size_t>(n));
      if (!lines(data, on_line)) return false;
    }
  }
  bool lines(std::string_view data, const std::function<bool(std::string_view)>& on_line) {
    for (std::size_t newline; (newline = data.find('\n')) != std::string_view::npos;) {
      std::string_view line = data.substr(0, newline);
      data.remove_prefix(newline + 1);
      if (rest_.empty()) {
        if (!on_line(line)) return false;
        continue;
      }
      rest_ += line;
      bool more = on_line(rest_);
      rest_.clear();
      if (!more) return false;
    }
    if (rest_.size() < kLineMax) rest_ += data;
    return true;
  }

  std::string path_, rest_;  // rest_: the beginning of a line
  std::vector<char> buffer_;
  sys::UniqueFd file_;
};

// Waits until something happens in the folder of the log; without inotify (its instances are few
// for each user) it looks again after a moment.
class Watch {
 public:
  explicit Watch(const std::string& path) : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    std::string folder = path.substr(0, path.rfind('/'));
    if (inotify_ && ::inotify_add_watch(inotify_.get(), folder.c_str(),
                                        IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO) < 0)
      inotify_.reset();
  }
  void wait(int timeout_ms) {
    pollfd wanted[] = {{inotify_.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    if (!inotify_) timeout_ms = timeout_ms < 0 ? kPollMs : std::min(timeout_ms, kPollMs);
    if (::poll(wanted, 2, timeout_ms) <= 0) return;
    // The reader of our output has gone: nothing would ever tell otherwise.
    gone_ = (wanted[1].revents & (POLLERR | POLLHUP)) != 0;
    char notes[4096];
    while (inotify_ && ::read(inotify_.get(), notes, sizeof notes) > 0) {
    }
  }
  bool reader_gone() const { return gone_; }

 private:
  sys::UniqueFd inotify_;
  bool gone_ = false;
};

bool starts_with_any(std::string_view text, const std::vector<std::string>& values) {
  return std::any_of(values.begin(), values.end(),
                     [text](const std::string& value) { return text.starts_with(value); });
}

bool is_any(std::string_view text, const std::vector<std::string>& values) {
  return std::find(values.begin(), values.end(), text) != values.end();
}

bool has_label(const monitor::Event& event, std::string_view wanted) {
  auto parts = split_once(wanted, '=');
  std::string_view key = parts ? parts->first : wanted;
  return std::any_of(event.attributes.begin(), event.attributes.end(), [&](const auto& label) {
    return label.key == key && (!parts || label.value == parts->second);
  });
}

// An image is found by its name without the tag too.
bool is_image(const monitor::Event& event, const std::vector<std::string>& values) {
  if (is_any(event.name, values)) return true;
  std::size_t colon = event.name.rfind(':');
  bool tagged = colon != std::string::npos && event.name.find('/', colon) == std::string::npos;
  if (tagged && is_any(std::string_view(event.name).substr(0, colon), values)) return true;
  return !event.id.empty() && starts_with_any(event.id, values);
}

}  // namespace

bool parse_event(std::string_view line, monitor::Event* event) {
  *event = {};
  Scanner in(line);
  std::string key, other, time;
  if (!in.eat('{')) return false;
  do {
    if (!in.string(&key) || !in.eat(':')) return false;
    if (key == "Attributes") {
      if (!parse_attributes(in, event)) return false;
    } else if (key == "Time") {
      if (!in.string(&time)) return false;
    } else if (key == "ContainerExitCode") {
      event->has_exit_code = true;
      if (!in.number(&event->exit_code)) return false;
    } else if (key == "health_failing_streak") {
      if (!in.number(&event->health_failing_streak)) return false;
    } else if (in.next() == '"') {
      if (!in.string(text_field(event, key, &other))) return false;
    } else if (std::int32_t number = 0; !in.null() && !in.number(&number)) {
      return false;
    }
  } while (in.eat(','));
  if (!in.eat('}') || !in.at_end()) return false;
  auto when = parse_rfc3339(time);
  event->time = when.value_or(0);
  return when && !event->type.empty() && !event->status.empty();
}

Result<EventFilter> EventFilter::parse(const EventQuery& query) {
  EventFilter filter;
  filter.since_ = query.since;
  filter.until_ = query.until;
  for (const std::string& text : query.filters) {
    auto parts = split_once(text, '=');
    std::string key = parts ? to_lower(parts->first) : std::string();
    if (key == "status") key = "event";
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
      return Error(Errc::invalid_argument, concat(text, " is an invalid filter"));
    std::string value(parts->second);
    if (key == "event" && value == "die") value = "died";  // Docker's word
    filter.values_[key].push_back(std::move(value));
  }
  return filter;
}

bool EventFilter::matches(const monitor::Event& event) const {
  if (since_ && event.time <= *since_) return false;
  if (until_ && event.time >= *until_) return false;
  return std::all_of(values_.begin(), values_.end(), [&event](const auto& wanted) {
    const auto& [key, values] = wanted;
    if (key == "event") return is_any(event.status, values);
    if (key == "type") return is_any(event.type, values);
    if (key == "label")
      return std::all_of(values.begin(), values.end(),
                         [&event](const std::string& value) { return has_label(event, value); });
    // The others name the type of the object.
    if (event.type != key) return false;
    if (key == "image") return is_image(event, values);
    if (key == "network" && is_any(event.network, values)) return true;
    if (key == "volume") return starts_with_any(event.name, values);
    return is_any(event.name, values) || starts_with_any(event.id, values);
  });
}

Status read_events(const Host& host, const EventQuery& query, const OnEvent& on_event) {
  EventFilter filter = TRY(EventFilter::parse(query));
  if (host.events_backend == "none")
    return Error(Errc::unsupported, "cannot read events with the \"none\" backend");
  if (host.events_backend == "journald") return read_journal_events(query, filter, on_event);

  LogReader reader(host.events_path);
  monitor::Event event;
  auto on_line = [&](std::string_view line) {
    return !parse_event(line, &event) || !filter.matches(event) || on_event(event);
  };
  std::optional<Watch> watch;
  if (query.follow) {  // before the first look, so that nothing falls between
    TRY(sys::ensure_dirs(host.events_path.substr(0, host.events_path.rfind('/')), 0700));
    watch.emplace(host.events_path);
  }
  if (!query.from_start)
    TRY(reader.skip_kept());
  else if (!TRY(reader.read_kept(on_line)))
    return {};
  while (watch) {
    int timeout_ms = -1;
    if (query.until) {
      std::int64_t rest = *query.until - now();
      if (rest <= 0) break;
      timeout_ms = static_cast<int>(std::min<std::int64_t>(rest / 1'000'000 + 1, 1 << 30));
    }
    watch->wait(timeout_ms);
    if (!TRY(reader.read_new(on_line)) || watch->reader_gone()) break;
  }
  return {};
}

}  // namespace minke::engine
