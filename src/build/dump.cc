// A Containerfile as JSON: every field that was given, nothing that was not.
#include "base/str.h"
#include "build/parse.h"
#include "codec/json.h"

namespace minke::build {
namespace {

json::Array strings(const std::vector<std::string>& list) {
  json::Array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

// Members only when they say something.
class Members {
 public:
  Members& text(std::string_view name, const std::string& value) {
    if (!value.empty()) object_.set(name, value);
    return *this;
  }
  Members& flag(std::string_view name, bool value) {
    if (value) object_.set(name, true);
    return *this;
  }
  Members& number(std::string_view name, std::int64_t value) {
    if (value != 0) object_.set(name, value);
    return *this;
  }
  Members& duration(std::string_view name, TimeNs value) {
    return value == 0 ? *this : text(name, format_duration(value));
  }
  Members& list(std::string_view name, const std::vector<std::string>& value) {
    if (!value.empty()) object_.set(name, strings(value));
    return *this;
  }
  Members& pairs(std::string_view name, const std::vector<KeyValue>& value) {
    json::Object out;
    for (const KeyValue& pair : value) out.set(pair.key, pair.value);
    object_.set(name, std::move(out));
    return *this;
  }
  Members& command(std::string_view name, const CommandLine& command) {
    object_.set(name, command.shell_form ? json::Value(command.words[0])
                                         : json::Value(strings(command.words)));
    return *this;
  }
  Members& heredocs(const std::vector<Heredoc>& value) {
    json::Array out;
    for (const Heredoc& heredoc : value) {
      json::Object one;
      one.set("name", heredoc.name);
      if (heredoc.fd != 0) one.set("fd", heredoc.fd);
      if (!heredoc.expand) one.set("quoted", true);
      if (heredoc.strip_tabs) one.set("stripTabs", true);
      one.set("content", heredoc.content);
      out.emplace_back(std::move(one));
    }
    if (!out.empty()) object_.set("heredocs", std::move(out));
    return *this;
  }
  json::Object& object() { return object_; }

 private:
  json::Object object_;
};

struct Dumper {
  Members& out;

  void operator()(const node::Run& run) {
    std::vector<std::string> mounts;
    for (const RunMount& mount : run.mounts) mounts.push_back(mount.text);
    out.list("mount", mounts).text("network", run.network).text("security", run.security);
    out.command("command", run.command).heredocs(run.heredocs);
  }
  void operator()(const node::Cmd& cmd) { out.command("command", cmd.command); }
  void operator()(const node::Entrypoint& entrypoint) {
    out.command("command", entrypoint.command);
  }
  void operator()(const node::Copy& copy) {
    out.text("from", copy.from).text("chown", copy.chown).text("chmod", copy.chmod);
    out.flag("link", copy.link).flag("parents", copy.parents).list("exclude", copy.exclude);
    out.text("checksum", copy.checksum).flag("keepGitDir", copy.keep_git_dir);
    if (copy.unpack) out.object().set("unpack", *copy.unpack);
    std::vector<std::string> sources;
    for (const node::Copy::Source& source : copy.sources)
      sources.push_back(concat(source.heredoc < 0 ? "" : "<<", source.path));
    out.list("sources", sources).text("destination", copy.destination).heredocs(copy.heredocs);
  }
  void operator()(const node::Env& env) { out.pairs("env", env.pairs); }
  void operator()(const node::Label& label) { out.pairs("labels", label.pairs); }
  void operator()(const node::Arg& arg) {
    json::Object items;
    for (const node::Arg::Item& item : arg.items)
      items.set(item.name, item.value ? json::Value(*item.value) : json::Value());
    out.object().set("args", std::move(items));
  }
  void operator()(const node::Workdir& workdir) { out.text("path", workdir.path); }
  void operator()(const node::User& user) { out.text("user", user.user); }
  void operator()(const node::Expose& expose) { out.list("ports", expose.ports); }
  void operator()(const node::Volume& volume) { out.list("paths", volume.paths); }
  void operator()(const node::Shell& shell) { out.list("shell", shell.words); }
  void operator()(const node::Healthcheck& check) {
    if (check.none) {
      out.flag("none", true);
      return;
    }
    out.duration("interval", check.interval).duration("timeout", check.timeout);
    out.duration("startPeriod", check.start_period).duration("startInterval", check.start_interval);
    out.number("retries", check.retries).command("command", check.command);
  }
  void operator()(const node::Stopsignal& stop) { out.text("signal", stop.signal); }
  void operator()(const node::Onbuild& onbuild) { out.text("trigger", onbuild.trigger); }
  void operator()(const node::Maintainer& maintainer) { out.text("name", maintainer.name); }
};

std::string lines_text(const SourceLines& lines) {
  return lines.first == lines.last ? concat(lines.first) : concat(lines.first, "-", lines.last);
}

json::Value dump_instruction(const Instruction& instruction) {
  Members members;
  members.text("instruction", instruction.keyword).text("lines", lines_text(instruction.lines));
  std::visit(Dumper{members}, instruction.what);
  return json::Value(std::move(members.object()));
}

json::Array dump_instructions(const std::vector<Instruction>& list) {
  json::Array out;
  for (const Instruction& instruction : list) out.push_back(dump_instruction(instruction));
  return out;
}

}  // namespace

std::string dump(const Containerfile& file) {
  Members members;
  members.text("syntax", file.syntax).text("check", file.check);
  if (file.escape != '\\') members.text("escape", std::string(1, file.escape));
  if (!file.globals.empty()) members.object().set("globals", dump_instructions(file.globals));
  json::Array stages;
  for (const Stage& stage : file.stages) {
    Members one;
    one.text("from", stage.base).text("platform", stage.platform).text("as", stage.name);
    one.text("lines", lines_text(stage.lines));
    one.object().set("instructions", dump_instructions(stage.instructions));
    stages.emplace_back(std::move(one.object()));
  }
  members.object().set("stages", std::move(stages));
  members.list("warnings", file.warnings);
  return json::dump(json::Value(std::move(members.object())), 2) + "\n";
}

}  // namespace minke::build
