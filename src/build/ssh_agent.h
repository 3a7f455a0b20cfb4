// --ssh: agents that hold keys, and the way of a step to one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace minke::build {

// A process that ends with its owner.
class OwnedProcess {
 public:
  explicit OwnedProcess(pid_t pid = -1) : pid_(pid) {}
  OwnedProcess(OwnedProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  OwnedProcess& operator=(OwnedProcess&& other) noexcept;
  ~OwnedProcess() { end(); }
  void end();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

// The host's ssh-agent with the keys of some files. Its socket lies in `folder`. A key with a
// passphrase is refused: nobody is asked. unsupported: the host has no ssh-agent or no ssh-add.
class SshAgent {
 public:
  static Result<SshAgent> start(const std::vector<std::string>& keys, const std::string& folder);
  const std::string& socket() const { return socket_; }

 private:
  SshAgent(pid_t pid, std::string socket) : process_(pid), socket_(std::move(socket)) {}
  OwnedProcess process_;
  std::string socket_;
};

// A socket at `path` with this owner and mode whose connections go on to the agent at `agent`: an
// agent answers nobody but its own user, and a step may be another one.
struct RelayOwner {
  std::uint32_t uid = 0, gid = 0, mode = 0600;
};
Result<OwnedProcess> relay_agent(const std::string& path, const std::string& agent,
                                 const RelayOwner& owner);

}  // namespace minke::build
