// The sources of COPY and ADD below one root: found by name or pattern, read by descriptor. Links
// are followed inside of the root alone.
#pragma once

#include <sys/stat.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "build/ignore.h"
#include "imagework/tree_reader.h"

namespace minke::build {

// `path` without links and dots, relative to `root`; "." is the root itself. What does not exist
// (any more) is taken as written.
Result<std::string> resolve_in_root(int root, std::string_view path);
// By lstat; not_found when it is not there.
Result<struct stat> stat_beneath(int root, const std::string& resolved);
// Whatever it is: a folder or file open for reading, anything else by O_PATH.
Result<sys::UniqueFd> open_source(int root, const std::string& resolved);

// Compressed, or with the sum that every tar header has. The position of `fd` stays.
Result<bool> may_be_archive(int fd);

struct SourceMatch {
  std::string path;   // resolved; "." is the root
  std::string name;   // what it is called where it goes: its base name as asked for
  std::string below;  // --parents: the path below the pivot; else empty
  std::string pivot;  // --parents: the folder that `below` begins in
  bool directory = false;
};

// What `source` names, in order; nothing when a pattern matches nothing. not_found: no such file,
// or one that is ignored. `ignore` may be null.
Result<std::vector<SourceMatch>> find_sources(int root, const IgnoreList* ignore,
                                              std::string_view source, bool parents);

// Verdicts of one list along a walk.
class Sieve {
 public:
  // `base`: where the walk begins, as the patterns see it; "" and ".": at their top.
  Sieve(const IgnoreList* list, std::string_view base);
  enum class Verdict { take, hold, skip };  // hold: a folder that is only there for what is in it
  Verdict judge(const std::string& path, bool directory);

 private:
  struct Level {
    std::string path;
    IgnoreList::Above above;
  };
  const IgnoreList* list_;
  std::string base_;
  std::vector<Level> levels_;
};

// One match with all that is below it, as entries whose paths begin with `target` (of a folder:
// only what is in it). --parents: the folders on the way too.
struct ReadPlan {
  int root = -1;
  const IgnoreList* ignore = nullptr;  // over paths below the root
  // Over paths below the match (--parents: below the pivot), or the name of a file.
  const IgnoreList* exclude = nullptr;
};
Status read_source(const ReadPlan& plan, const SourceMatch& match, const std::string& target,
                   imagework::EntrySink& sink, std::vector<std::string>* notes);

}  // namespace minke::build
