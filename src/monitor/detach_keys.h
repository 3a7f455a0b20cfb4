// Docker's detach sequence ("ctrl-p,ctrl-q", "a,b,c"): parsed once, then matched against what is
// typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::monitor {

class DetachKeys {
 public:
  // Keys separated by commas: one character, or ctrl- with a-z, @, [, \, ], ^, _. Empty text: never
  // detaches.
  static Result<DetachKeys> parse(std::string_view text);

  // Takes what was typed and appends what is to be passed on to `out`. Keys of an unfinished
  // sequence are held back until it is finished or turns out to be none. True when the sequence is
  // complete: what was typed before it is in `out`, the sequence itself is not.
  bool feed(std::string_view typed, std::string* out);

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

}  // namespace minke::monitor
