#include "cli/build_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

constexpr std::size_t kTail = 6, kLogMax = 64 << 10;
constexpr std::int64_t kRedraw = kSecond / 10;

std::string seconds(std::int64_t ns, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, static_cast<double>(ns) / 1e9);
  return text;
}

std::size_t width_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

// What a program prints may move the cursor or set colours: none of that belongs in one line of a
// list.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    } else if (c == '\t') {
      out += ' ';
    } else if (c >= ' ' && c != 127) {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

void BuildProgress::flush() {
  if (!text_.empty())
    ignore(sys::write_all(fd_, text_, "the progress"), "who does not read it, does not want it");
  text_.clear();
}

void BuildProgress::keep(Vertex* vertex, std::string_view line) {
  if (form_ != Form::live) return;
  vertex->log += concat(line, "\n");
  if (vertex->log.size() > 2 * kLogMax) vertex->log.erase(0, vertex->log.size() - kLogMax);
  vertex->tail.emplace_back(printable(line));
  if (vertex->tail.size() > kTail) vertex->tail.erase(vertex->tail.begin());
}

void BuildProgress::take(const build::BuildEvent& event) {
  if (form_ == Form::none) return;
  using Kind = build::BuildEvent::Kind;
  if (event.kind == Kind::begin) {
    running_[event.vertex] = {event.name, "", {}, "", monotonic_ns()};
    if (form_ == Form::plain) plain_begin(event.vertex);
  } else {
    auto vertex = running_.find(event.vertex);
    if (vertex == running_.end()) return;
    if (event.kind == Kind::output) {
      vertex->second.partial += event.data;
      plain_output(event.vertex, &vertex->second);
    } else {
      if (form_ == Form::plain)
        plain_end(event.vertex, &vertex->second, event);
      else
        live_end(vertex->second, event);
      running_.erase(vertex);
    }
  }
  if (form_ == Form::live) draw();
  flush();
}

void BuildProgress::plain_begin(int number) {
  put(concat(shown_ != 0 ? "\n" : "", "#", number, " ", running_[number].name, "\n"));
  shown_ = number;
}

void BuildProgress::plain_line(int number, const Vertex& vertex, std::string_view line) {
  // Lines of another step came in between.
  if (shown_ != number) put(concat("\n#", number, " ", vertex.name, "\n"));
  shown_ = number;
  put(concat("#", number, " ", line, "\n"));
}

void BuildProgress::plain_output(int number, Vertex* vertex) {
  std::string_view rest = vertex->partial;
  const std::string at = concat(seconds(monotonic_ns() - vertex->begun, 3), " ");
  for (;;) {
    std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    keep(vertex, line);
    if (form_ == Form::plain) plain_line(number, *vertex, concat(at, line));
    rest.remove_prefix(end + 1);
  }
  vertex->partial.erase(0, vertex->partial.size() - rest.size());
}

void BuildProgress::plain_end(int number, Vertex* vertex, const build::BuildEvent& event) {
  if (!vertex->partial.empty()) {
    vertex->partial += '\n';
    plain_output(number, vertex);
  }
  if (event.cached)
    plain_line(number, *vertex, "CACHED");
  else if (!event.error.empty())
    plain_line(number, *vertex,
               concat(event.error == "canceled" ? "" : "ERROR: ",
                      event.error == "canceled" ? "CANCELED" : event.error));
  else
    plain_line(number, *vertex, concat("DONE ", seconds(monotonic_ns() - vertex->begun, 1), "s"));
}

void BuildProgress::live_end(const Vertex& vertex, const build::BuildEvent& event) {
  wipe();
  const std::string time = seconds(monotonic_ns() - vertex.begun, 1);
  const char* state = event.cached ? "CACHED " : event.error.empty() ? "" : "ERROR ";
  put(concat(" => ", state, printable(vertex.name).substr(0, width_of(fd_) - 20), "  ", time,
             "s\n"));
  if (event.error.empty() || event.error == "canceled" || vertex.log.empty()) return;
  put(concat("------\n > ", vertex.name, ":\n", vertex.log, "------\n"));
}

void BuildProgress::wipe() {
  if (drawn_ > 0) put(concat("\x1b[", drawn_, "A\x1b[J"));
  drawn_ = 0;
  drawn_at_ = 0;
}

void BuildProgress::draw() {
  std::int64_t at = monotonic_ns();
  if (at - drawn_at_ < kRedraw) return;
  wipe();
  drawn_at_ = at;
  const std::size_t width = width_of(fd_);
  std::string text;
  for (const auto& [number, vertex] : running_) {
    text += concat(" => ", printable(vertex.name).substr(0, width - 14), "  ",
                   seconds(at - vertex.begun, 1), "s\n");
    ++drawn_;
    for (const std::string& line : vertex.tail) {
      text += concat(" => => ", line.substr(0, width - 8), "\n");
      ++drawn_;
    }
  }
  put(text);
}

void BuildProgress::make_room() {
  if (form_ == Form::live) wipe();
  flush();
}

void BuildProgress::finish() {
  make_room();
  running_.clear();
}

}  // namespace minke::cli
