// Instructions that change the configuration alone.
#include <algorithm>

#include "base/str.h"
#include "build/parse.h"
#include "build/stage.h"
#include "sys/process.h"

namespace minke::build {
namespace {

// PORT[-PORT][/PROTOCOL] as the single ports that the configuration names.
Status add_ports(const std::string& text, std::map<std::string, json::Value>* ports) {
  auto pair = split_once(text, '/');
  std::string_view range = pair ? pair->first : std::string_view(text);
  std::string protocol = pair ? to_lower(pair->second) : "tcp";
  auto bounds = split_once(range, '-');
  auto first = parse_uint(bounds ? bounds->first : range),
       last = parse_uint(bounds ? bounds->second : range);
  if (!first || !last || *first == 0 || *last > 65535 || *first > *last ||
      (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    return Error(Errc::invalid_argument,
                 concat("EXPOSE ", text, ": not a port (PORT, PORT-PORT, PORT/udp)"));
  for (std::uint64_t port = *first; port <= *last; ++port)
    (*ports)[concat(port, "/", protocol)] = json::Object();
  return {};
}

}  // namespace

Status StageBuilder::apply_meta(const Instruction& instruction) {
  return std::visit(
      [this](const auto& what) -> Status {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, node::Run> || std::is_same_v<T, node::Copy> ||
                      std::is_same_v<T, node::Workdir>)
          return Error(Errc::internal, "an instruction that makes a layer");
        else
          return take(what);
      },
      instruction.what);
}

Status StageBuilder::take(const node::Cmd& cmd) {
  config().cmd = command_vector(cmd.command, shell_);
  own_cmd_ = true;
  return {};
}

// A command of the base was meant for the base's entrypoint.
Status StageBuilder::take(const node::Entrypoint& entrypoint) {
  config().entrypoint = command_vector(entrypoint.command, shell_);
  if (!own_cmd_) config().cmd.reset();
  return {};
}

Status StageBuilder::take(const node::Env& env) {
  for (const KeyValue& pair : env.pairs) variables_.set_env(pair.key, pair.value);
  return {};
}

Status StageBuilder::take(const node::Label& label) {
  for (const KeyValue& pair : label.pairs) config().labels[pair.key] = pair.value;
  return {};
}

Status StageBuilder::take(const node::Arg& arg) {
  for (const node::Arg::Item& item : arg.items) variables_.declare_arg(item.name, item.value);
  return {};
}

Status StageBuilder::take(const node::User& user) {
  config().user = user.user;
  return {};
}

Status StageBuilder::take(const node::Expose& expose) {
  for (const std::string& port : expose.ports) TRY(add_ports(port, &config().exposed_ports));
  return {};
}

Status StageBuilder::take(const node::Volume& volume) {
  for (const std::string& path : volume.paths) config().volumes[path] = json::Object();
  return {};
}

Status StageBuilder::take(const node::Shell& shell) {
  shell_ = shell.words;
  config().shell = shell.words;
  return {};
}

Status StageBuilder::take(const node::Healthcheck& check) {
  oci::Healthcheck out;
  if (check.none) {
    out.test = {"NONE"};
  } else if (check.command.shell_form) {
    out.test = {"CMD-SHELL"};
    out.test.insert(out.test.end(), check.command.words.begin(), check.command.words.end());
  } else {
    out.test = {"CMD"};
    out.test.insert(out.test.end(), check.command.words.begin(), check.command.words.end());
  }
  out.interval = check.interval;
  out.timeout = check.timeout;
  out.start_period = check.start_period;
  out.start_interval = check.start_interval;
  out.retries = check.retries;
  config().healthcheck = std::move(out);
  return {};
}

Status StageBuilder::take(const node::Stopsignal& signal) {
  if (!sys::parse_signal(signal.signal))
    return Error(Errc::invalid_argument, concat("STOPSIGNAL ", signal.signal, ": no such signal"));
  config().stop_signal = signal.signal;
  return {};
}

Status StageBuilder::take(const node::Onbuild& onbuild) {
  if (!config().on_build) config().on_build.emplace();
  config().on_build->push_back(onbuild.trigger);
  return {};
}

Status StageBuilder::take(const node::Maintainer& maintainer) {
  result_.config.author = maintainer.name;
  return {};
}

}  // namespace minke::build
