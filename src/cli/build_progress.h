// What people see of a build: BuildKit's plain lines, or a live view on a terminal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "build/build.h"

namespace minke::cli {

class BuildProgress {
 public:
  enum class Form : std::uint8_t { none, plain, live };
  // `fd` stays the caller's.
  BuildProgress(int fd, Form form) : fd_(fd), form_(form) {}
  ~BuildProgress() { finish(); }
  BuildProgress(const BuildProgress&) = delete;
  BuildProgress& operator=(const BuildProgress&) = delete;
  void take(const build::BuildEvent& event);
  // The live part is wiped, what has ended stays.
  void finish();
  // The same until the next event: something else is to be shown there.
  void make_room();

 private:
  struct Vertex {
    std::string name, partial;      // partial: a line that has not ended
    std::vector<std::string> tail;  // last lines of output
    std::string log;                // what it printed last, for when it fails
    std::int64_t begun = 0;
  };
  void plain_begin(int number);
  void plain_output(int number, Vertex* vertex);
  void plain_line(int number, const Vertex& vertex, std::string_view line);
  void plain_end(int number, Vertex* vertex, const build::BuildEvent& event);
  void live_end(const Vertex& vertex, const build::BuildEvent& event);
  void keep(Vertex* vertex, std::string_view line);
  void draw();
  void wipe();
  void put(std::string_view text) { text_ += text; }
  void flush();

  int fd_;
  Form form_;
  int shown_ = 0;     // plain: whose lines come now
  std::string text_;  // not yet written
  int drawn_ = 0;     // live: lines below the ones that stay
  std::int64_t drawn_at_ = 0;
  std::map<int, Vertex> running_;
};

}  // namespace minke::cli
