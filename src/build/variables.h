// Words of a Containerfile with their variables and quotes replaced, as BuildKit does it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "build/instruction.h"

namespace minke::build {

using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct ExpandOptions {
  char escape = '\\';
  bool keep_quotes = false;       // quotes stay in the result (but still quote)
  bool keep_escapes = false;      // so do escape characters
  bool quotes_are_plain = false;  // quotes have no meaning (heredocs)
  bool keep_unset = false;        // $NAME of a variable that is not set stays as written
};

// $NAME ${NAME} ${NAME:-WORD} ${NAME-WORD} :+ + :? ? # ## % %% /P/R //P/R; single quotes keep all,
// double quotes keep all but $ and the escape. Unset variables are empty.
Result<std::string> expand_word(std::string_view word, const Lookup& lookup,
                                const ExpandOptions& options = {});
// The same, split at blanks that were not quoted; what a variable brings is split too.
Result<std::vector<std::string>> expand_words(std::string_view word, const Lookup& lookup,
                                              const ExpandOptions& options = {});

// Every field of `instruction` that expands (ADD COPY ENV EXPOSE LABEL STOPSIGNAL USER VOLUME
// WORKDIR ARG, mounts and flags of RUN; heredocs of COPY and ADD unless quoted). The commands of
// RUN, CMD, ENTRYPOINT and HEALTHCHECK are left to their shells, and so are SHELL and ONBUILD.
// Then checks what could not be checked before. `used` gets the names that were asked for, set or
// not (the cache key of a step wants them). Errors have no file and line: see at_line().
Status expand_instruction(Instruction* instruction, const Lookup& lookup, char escape,
                          std::set<std::string>* used = nullptr);

// "FILENAME:LINE: " in front of an error.
Error at_line(Error error, const Containerfile& file, const SourceLines& lines);

// The variables of one stage while it is built. ENV wins over ARG, whoever came last.
class Variables {
 public:
  // What build arguments came from the command line, and the global ARGs with their final values.
  struct Given {
    std::map<std::string, std::string> build_args;  // --build-arg NAME=VALUE
    std::map<std::string, std::string> globals;     // resolve_globals(): what ARG NAME can inherit
    std::map<std::string, std::string> platform;    // platform_args(): set for ARG NAME of a stage
  };
  explicit Variables(const Given& given) : given_(&given) {}

  // The environment of the base image, in its order.
  void set_environment(const std::vector<std::string>& env);
  void set_env(const std::string& name, const std::string& value);  // ENV
  // ARG NAME[=VALUE], the value expanded already: --build-arg, else VALUE, else the global ARG or
  // the platform's value of this name.
  void declare_arg(const std::string& name, const std::optional<std::string>& value);

  std::optional<std::string> find(std::string_view name) const;
  Lookup lookup() const {
    return [this](std::string_view name) { return find(name); };
  }
  // NAME=VALUE of the image config.
  const std::vector<std::string>& environment() const { return env_; }
  // The ARGs in force that a RUN sees beside the environment: declared with a value, not hidden by
  // ENV; and predefined ones (proxies) given by --build-arg. In order of declaration.
  std::vector<std::string> run_arguments() const;
  // Those of run_arguments() that count for the cache: the predefined proxies do not.
  std::vector<std::string> cache_arguments() const;

 private:
  const Given* given_;
  std::vector<std::string> env_;
  std::vector<std::pair<std::string, std::string>> args_;
};

}  // namespace minke::build
