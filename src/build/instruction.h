// What a Containerfile says, read and checked but not yet expanded: variables stand in the words as
// they were written (build/variables.h expands them, when the executor knows their values).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace minke::build {

// Where an instruction stands: lines count from 1, `last` holds its continuations and heredocs.
struct SourceLines {
  int first = 0, last = 0;
};

// <<NAME, <<-NAME, <<"NAME", 3<<NAME. `content` ends with a newline unless it is empty; with
// `strip_tabs` its leading tabs are gone already.
struct Heredoc {
  std::string name;
  std::string content;
  bool expand = true;  // no part of the name was quoted: variables in it are expanded (COPY, ADD)
  bool strip_tabs = false;
  int fd = 0;  // the number in front; 0: none
};

// name=value of ENV and LABEL, --build-context and the like; in the order that they were written.
struct KeyValue {
  std::string key, value;
};

// The command of RUN, CMD, ENTRYPOINT, HEALTHCHECK CMD. In shell form `words` is one string, for
// the stage's SHELL; in exec form it is the argument vector.
struct CommandLine {
  std::vector<std::string> words;
  bool shell_form = true;
};

// --mount of RUN. The fields are whole once expand_instruction() has read `text` with the variables
// replaced; before that only the words without variables count, and `from`.
struct RunMount {
  enum class Type : std::uint8_t { bind, cache, tmpfs, secret, ssh };
  enum class Sharing : std::uint8_t { shared, exclusive, locked };  // exclusive: "private"
  std::string text;  // as written: "type=bind,from=base,target=/x"
  Type type = Type::bind;
  std::string from;    // bind, cache: a stage, a build context or an image; empty: the context
                       // (bind), nothing (cache)
  std::string source;  // bind, cache: the path in `from`; empty: /
  std::string target;  // empty: a secret at /run/secrets/ID, an agent at /run/buildkit/ssh_agent.N
  std::string id;      // never empty: cache: the target's path; secret: the base name of the
                       // target or the source; ssh: "default"
  std::string env;     // secret: the variable that gets it; a file too only when `target` is given
  Sharing sharing = Sharing::shared;      // cache
  bool read_only = true;                  // not so for cache and tmpfs, unless said
  bool required = false;                  // secret, ssh
  std::optional<std::uint32_t> mode;      // cache (else 0755), secret (0400), ssh (0600)
  std::optional<std::uint32_t> uid, gid;  // the same three; else 0
  std::optional<std::uint64_t> size;      // tmpfs, bytes
};

namespace node {

struct Run {
  CommandLine command;
  std::vector<Heredoc> heredocs;
  std::vector<RunMount> mounts;
  std::string network;   // default, none, host; empty: as the build says
  std::string security;  // sandbox, insecure; empty: sandbox
};
struct Cmd {
  CommandLine command;
};
struct Entrypoint {
  CommandLine command;
};
// COPY and ADD. `sources` are in the order written; of a heredoc its file name, with its index in
// `heredocs` (a source may be both only once).
struct Copy {
  struct Source {
    std::string path;  // a path, a pattern or (ADD) a URL; of a heredoc its name
    int heredoc = -1;  // index in `heredocs`, or -1
  };
  bool add = false;
  std::vector<Source> sources;
  std::string destination;
  std::vector<Heredoc> heredocs;
  std::string from;   // COPY: a stage, its number, a build context or an image
  std::string chown;  // USER[:GROUP], names or numbers
  std::string chmod;  // octal or symbolic
  bool link = false, parents = false;
  std::vector<std::string> exclude;
  std::string checksum;        // ADD of a URL: sha256:HEX, or a commit for git
  bool keep_git_dir = false;   // ADD of git
  std::optional<bool> unpack;  // ADD: nothing said: local archives yes, downloaded ones no
};
struct Env {
  std::vector<KeyValue> pairs;
};
struct Label {
  std::vector<KeyValue> pairs;
};
struct Arg {
  struct Item {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Item> items;
};
struct Workdir {
  std::string path;
};
struct User {
  std::string user;  // USER[:GROUP]
};
struct Expose {
  std::vector<std::string> ports;  // PORT[-PORT][/PROTOCOL]
};
struct Volume {
  std::vector<std::string> paths;
};
struct Shell {
  std::vector<std::string> words;  // never empty
};
struct Healthcheck {
  bool none = false;    // HEALTHCHECK NONE
  CommandLine command;  // CMD
  // Nanoseconds; 0: not given, the engine's default counts.
  TimeNs interval = 0, timeout = 0, start_period = 0, start_interval = 0;
  std::int32_t retries = 0;  // 0: not given
};
struct Stopsignal {
  std::string signal;
};
struct Onbuild {
  // The instruction as text that parse_trigger() reads again, heredocs behind it.
  std::string trigger;
};
struct Maintainer {
  std::string name;
};

}  // namespace node

using Node =
    std::variant<node::Run, node::Cmd, node::Entrypoint, node::Copy, node::Env, node::Label,
                 node::Arg, node::Workdir, node::User, node::Expose, node::Volume, node::Shell,
                 node::Healthcheck, node::Stopsignal, node::Onbuild, node::Maintainer>;

struct Instruction {
  Node what;
  std::string keyword;   // upper case: "RUN"; of ADD "ADD"
  std::string original;  // the instruction in one line, continuations joined, as progress shows it
  SourceLines lines;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&what);
  }
  template <typename T>
  T* as() {
    return std::get_if<T>(&what);
  }
};

// FROM and what follows it.
struct Stage {
  std::string base;      // an image, a stage before it, a build context, "scratch"; variables
  std::string platform;  // --platform; empty: the build's
  std::string name;      // AS name in lower case; empty: none
  std::string original;
  SourceLines lines;
  std::vector<Instruction> instructions;
};

struct Containerfile {
  std::string filename;  // for messages
  char escape = '\\';
  std::string syntax;                 // of the directive; read, with no effect
  std::string check;                  // of the directive; read, with no effect
  std::vector<Instruction> globals;   // ARGs before the first FROM
  std::vector<Stage> stages;          // at least one
  std::vector<std::string> warnings;  // one line each, without the file's name
};

}  // namespace minke::build
