// Where COPY and ADD take files from: the build context and the named ones. Files are opened
// beneath the context's folder, so that no link in it leads out; what the ignore file names is not
// there.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "build/git.h"
#include "build/ignore.h"
#include "store/store.h"
#include "sys/fd.h"

namespace minke::build {

struct ContextRequest {
  std::string main;                          // as typed: a folder, "-", an archive, a URL
  std::map<std::string, std::string> named;  // --build-context: folders, archives, URLs
  std::vector<std::string> files;            // -f, as typed; empty: Containerfile or Dockerfile
  std::string ignore_file;                   // --ignorefile; empty: the usual ones
  const store::Store* store = nullptr;       // unpacks archives
  std::string scratch;                       // a folder of ours where they are unpacked
  GitAccess git;                             // for those that are git repositories
  bool keep_git_dir = false;                 // their .git shows
};

// One folder of files.
class Context {
 public:
  virtual ~Context() = default;
  // The folder, open for reading; what is ignored shows in it nevertheless.
  virtual int root() const = 0;
  // Where `path` is on the host, links followed inside of the context alone: for bind mounts.
  virtual Result<std::string> host_path(std::string_view path) const = 0;
  // A digest of all that `path` holds, ignored files left out: type, mode, content and names, no
  // times and no owners.
  virtual Result<std::string> digest_of(std::string_view path) const = 0;
  // What of it is not there.
  virtual const IgnoreList& ignore() const = 0;
};

class Contexts {
 public:
  virtual ~Contexts() = default;
  // Reads archives from standard input and the like at once. Named contexts that are images
  // (docker-image://, containers-storage: and names that are no folder) are not for here.
  static Result<std::unique_ptr<Contexts>> open(const ContextRequest& request);
  // The Containerfile's text (several -f: one after the other) and its name for messages.
  virtual const std::string& text() const = 0;
  virtual const std::string& filename() const = 0;
  // "": the main one. not_found when there is none of that name (or no main one: "-" was a
  // Containerfile).
  virtual Result<Context*> find(std::string_view name) = 0;
};

}  // namespace minke::build
