// Which parts of which instruction are expanded, and what is checked then.
#include <algorithm>

#include "base/str.h"
#include "build/parse_internal.h"
#include "build/remote.h"
#include "build/variables.h"
#include "net/port.h"
#include "sys/process.h"

namespace minke::build {
namespace {

class InstructionExpander {
 public:
  InstructionExpander(const Lookup& lookup, char escape) : lookup_(lookup) {
    options_.escape = escape;
  }

  Status operator()(node::Run& run) {
    const ExpandText expand = [this](std::string_view text) {
      return expand_word(text, lookup_, options_);
    };
    for (RunMount& mount : run.mounts)
      mount = TRY_CTX(parse_mount(mount.text, &expand), concat("--mount=", mount.text));
    return {};
  }

  Status operator()(node::Copy& copy) {
    for (node::Copy::Source& source : copy.sources) {
      if (source.heredoc < 0) TRY(word(&source.path));
      if (source.path.empty()) return wrong("a source is empty");
    }
    TRY(word(&copy.destination));
    if (copy.destination.empty()) return wrong("the destination is empty");
    for (std::string* text : {&copy.from, &copy.chown, &copy.chmod, &copy.checksum})
      TRY(word(text));
    for (std::string& pattern : copy.exclude) TRY(word(&pattern));
    if (!copy.chmod.empty()) TRY_CTX(check_mode(copy.chmod), concat("--chmod=", copy.chmod));
    // The escape of a heredoc is always the backslash, as in a shell.
    const ExpandOptions inside{.quotes_are_plain = true};
    for (Heredoc& heredoc : copy.heredocs)
      if (heredoc.expand) heredoc.content = TRY(expand_word(heredoc.content, lookup_, inside));
    return check_checksum(copy);
  }

  Status operator()(node::Env& env) { return pairs(&env.pairs); }
  Status operator()(node::Label& label) { return pairs(&label.pairs); }

  Status operator()(node::Arg& arg) {
    for (node::Arg::Item& item : arg.items) {
      TRY(word(&item.name));
      if (item.name.empty()) return wrong("ARG has an empty name");
      if (item.value) TRY(word(&*item.value));
    }
    return {};
  }

  Status operator()(node::Workdir& workdir) {
    TRY(word(&workdir.path));
    return workdir.path.empty() ? Status(wrong("the path is empty")) : Status();
  }
  Status operator()(node::User& user) {
    TRY(word(&user.user));
    return user.user.empty() ? Status(wrong("the user is empty")) : Status();
  }

  Status operator()(node::Stopsignal& stop) {
    TRY(word(&stop.signal));
    if (!sys::parse_signal(stop.signal))
      return wrong(concat("unknown signal ", quote(stop.signal), " (SIGTERM, TERM or 15)"));
    return {};
  }

  // Comes out as PORT/PROTOCOL, ranges taken apart.
  Status operator()(node::Expose& expose) {
    std::vector<std::string> ports;
    for (const std::string& text : expose.ports)
      for (const std::string& one : TRY(expand_words(text, lookup_, options_)))
        TRY(add_ports(one, &ports));
    expose.ports = std::move(ports);
    return {};
  }

  Status operator()(node::Volume& volume) {
    for (std::string& path : volume.paths) {
      TRY(word(&path));
      path = trim(path);
      if (path.empty()) return wrong("VOLUME has an empty path");
    }
    return {};
  }

  Status operator()(node::Cmd&) { return {}; }
  Status operator()(node::Entrypoint&) { return {}; }
  Status operator()(node::Shell&) { return {}; }
  Status operator()(node::Healthcheck&) { return {}; }
  Status operator()(node::Onbuild&) { return {}; }
  Status operator()(node::Maintainer&) { return {}; }

 private:
  Status word(std::string* text) {
    if (!text->empty()) *text = TRY(expand_word(*text, lookup_, options_));
    return {};
  }

  Status pairs(std::vector<KeyValue>* list) {
    for (KeyValue& pair : *list) {
      TRY(word(&pair.key));
      TRY(word(&pair.value));
      if (pair.key.empty()) return wrong("a name is empty");
      if (pair.key.find('=') != std::string::npos)
        return wrong(concat("the name ", quote(pair.key), " holds a ="));
      if (pair.key.find('\0') != std::string::npos || pair.value.find('\0') != std::string::npos)
        return wrong(concat(quote(pair.key), " holds a NUL byte"));
    }
    return {};
  }

  static Status add_ports(const std::string& text, std::vector<std::string>* out) {
    // HOST:PORT is taken for the container's part, as everywhere else.
    auto parsed =
        text.find(':') == std::string::npos ? net::parse_exposed(text) : net::parse_publish(text);
    if (!parsed)
      return wrong(concat("invalid port ", quote(text), " (PORT, PORT-PORT, with /tcp or /udp)"));
    for (unsigned i = 0; i < parsed->range; ++i)
      out->push_back(concat(parsed->container_port + i, "/", net::protocol_name(parsed->protocol)));
    return {};
  }

  static Status check_checksum(const node::Copy& copy) {
    if (copy.checksum.empty()) return {};
    if (copy.sources.size() != 1) return wrong("--checksum takes exactly one source");
    const std::string& source = copy.sources[0].path;
    if (is_git(source)) {
      if (copy.checksum.size() >= 7 && is_hex(copy.checksum)) return {};
      return wrong(concat("--checksum=", copy.checksum, ": a commit is wanted, or its beginning"));
    }
    if (!is_url(source))
      return wrong("--checksum is for sources of http:// and https://, and of git");
    auto parts = split_once(copy.checksum, ':');
    if (!parts || parts->first != "sha256" || parts->second.size() != 64 || !is_hex(parts->second))
      return wrong(concat("--checksum=", copy.checksum, ": expected sha256: and 64 hex digits"));
    return {};
  }

  const Lookup& lookup_;
  ExpandOptions options_;
};

}  // namespace

Status expand_instruction(Instruction* instruction, const Lookup& lookup, char escape,
                          std::set<std::string>* used) {
  const Lookup noting = [&](std::string_view name) {
    if (used != nullptr) used->emplace(name);
    return lookup(name);
  };
  return std::visit(InstructionExpander(noting, escape), instruction->what);
}

Error at_line(Error error, const Containerfile& file, const SourceLines& lines) {
  return std::move(error).wrap(concat(file.filename, ":", lines.first));
}

}  // namespace minke::build
