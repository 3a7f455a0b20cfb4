#include "engine/network_facts.h"

#include <unistd.h>

#include "base/str.h"
#include "codec/json.h"
#include "net/netd_client.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

// Of netd's own words, those that are of interest here.
struct UplinkStatus {
  std::string program, trouble;
};
void bind(json::Binder& b, UplinkStatus& s) {
  b("program", s.program);
  b("trouble", s.trouble);
}
struct PlaneStatus {
  std::string queue;
  bool carrying = true, transparent = true;
};
void bind(json::Binder& b, PlaneStatus& s) {
  b("queue", s.queue);
  b("carrying", s.carrying);
  b("transparent", s.transparent);
}
struct NetdStatus {
  std::int64_t pid = 0;
  UplinkStatus uplink;
  PlaneStatus plane;
};
void bind(json::Binder& b, NetdStatus& s) {
  b("pid", s.pid);
  b("uplink", s.uplink);
  b("plane", s.plane);
}

void read_status(const std::string& text, NetworkFacts* facts) {
  auto status = json::parse_struct<NetdStatus>(text);
  if (!status) return;
  facts->netd = static_cast<pid_t>(status->pid);
  facts->uplink = status->uplink.program;
  facts->uplink_trouble = status->uplink.trouble;
  facts->queue = status->plane.carrying ? status->plane.queue : "none";
  facts->transparent = status->plane.transparent;
}

}  // namespace

HelperProgram find_helper_program(const char* name, bool with_version) {
  HelperProgram out{name, {}, {}};
  for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    out.path = concat(folder, name);
    if (::access(out.path.c_str(), X_OK) == 0) break;
    out.path.clear();
  }
  auto pipe = sys::make_pipe();
  if (out.path.empty() || !with_version || !pipe) return out;
  sys::SpawnOptions spawn;
  spawn.path = out.path;
  spawn.argv = {out.path, "--version"};
  spawn.stdio[0] = -2;
  spawn.stdio[1] = spawn.stdio[2] = pipe->second.get();
  auto child = sys::spawn(spawn);
  pipe->second.reset();
  if (!child) return out;
  out.version = trim(sys::read_all(pipe->first.get(), 64 << 10, out.path).value_or(""));
  ignore(sys::wait_pid(child->pid), "only its words count");
  return out;
}

NetworkFacts network_facts(const Host& host) {
  NetworkFacts facts;
  if (auto netd = net::NetdClient::connect(host.runroot))
    if (auto answer = netd->call(net::NetdVerb::status)) read_status(answer->payload, &facts);
  if (facts.netd != 0 || !host.rootless) return facts;
  for (const char* name : {"slirp4netns", "pasta"})
    if (facts.uplink.empty() && !find_helper_program(name, false).path.empty()) facts.uplink = name;
  return facts;
}

}  // namespace minke::engine
