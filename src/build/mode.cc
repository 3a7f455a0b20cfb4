#include "build/mode.h"

#include "base/str.h"

namespace minke::build {
namespace {

constexpr std::uint32_t kAllRead = 0444, kAllWrite = 0222, kAllExecute = 0111;

std::uint32_t spread(std::uint32_t three_bits) { return three_bits * 0111; }

}  // namespace

Result<FileMode> FileMode::parse(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return Error(Errc::invalid_argument, concat("invalid mode ", quote(text), ": ", why));
  };
  FileMode mode;
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    auto number = parse_uint(text, 8);
    if (!number || *number > 07777) return bad("it is an octal number up to 7777");
    mode.number_ = static_cast<std::uint32_t>(*number);
    return mode;
  }
  constexpr std::string_view kHow = "as chmod has it: u=rwX,go=rX";
  for (std::string_view part : split(text, ',')) {
    std::size_t at = 0;
    std::uint32_t who = 0;
    for (; at < part.size(); ++at) {
      if (part[at] == 'u')
        who |= 0700;
      else if (part[at] == 'g')
        who |= 0070;
      else if (part[at] == 'o')
        who |= 0007;
      else if (part[at] == 'a')
        who |= 0777;
      else
        break;
    }
    if (who == 0) who = 0777;
    if (at == part.size()) return bad(kHow);
    while (at < part.size()) {
      Clause clause;
      clause.who = who;
      clause.operation = part[at++];
      if (std::string_view("=+-").find(clause.operation) == std::string_view::npos)
        return bad(kHow);
      for (; at < part.size() && std::string_view("=+-").find(part[at]) == std::string_view::npos;
           ++at) {
        switch (part[at]) {
          case 'r':
            clause.bits |= kAllRead;
            break;
          case 'w':
            clause.bits |= kAllWrite;
            break;
          case 'x':
            clause.bits |= kAllExecute;
            break;
          case 'X':
            clause.only_executable = true;
            break;
          case 's':
            clause.set_id = true;
            break;
          case 't':
            clause.sticky = true;
            break;
          case 'u':
          case 'g':
          case 'o':
            if (clause.copy_of != 0 || clause.bits != 0) return bad(kHow);
            clause.copy_of = part[at];
            break;
          default:
            return bad(kHow);
        }
      }
      mode.clauses_.push_back(clause);
    }
  }
  return mode;
}

std::uint32_t FileMode::apply(std::uint32_t mode, bool directory) const {
  if (number_) return *number_;
  mode &= 07777;
  for (const Clause& clause : clauses_) {
    std::uint32_t bits = clause.bits;
    if (clause.only_executable && (directory || (mode & kAllExecute) != 0)) bits |= kAllExecute;
    if (clause.copy_of != 0) {
      const int shift = clause.copy_of == 'u' ? 6 : clause.copy_of == 'g' ? 3 : 0;
      bits = spread(mode >> shift & 7);
    }
    bits &= clause.who;
    if (clause.set_id) bits |= (clause.who & 0100 ? 04000 : 0) | (clause.who & 010 ? 02000 : 0);
    if (clause.sticky && (clause.who & 1) != 0) bits |= 01000;
    switch (clause.operation) {
      case '+':
        mode |= bits;
        break;
      case '-':
        mode &= ~bits;
        break;
      default: {
        // Directories keep their set-id bits unless named, as with chmod(1).
        std::uint32_t cleared = clause.who;
        if (!directory) cleared |= (clause.who & 0100 ? 04000 : 0) | (clause.who & 010 ? 02000 : 0);
        if ((clause.who & 7) == 7 && !directory) cleared |= 01000;
        mode = (mode & ~cleared) | bits;
      }
    }
  }
  return mode;
}

}  // namespace minke::build
