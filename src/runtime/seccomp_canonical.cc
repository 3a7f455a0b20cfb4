#include <cerrno>

#include "base/str.h"
#include "runtime/seccomp.h"

namespace minke::runtime {

std::string canonical_seccomp(const oci::Seccomp& s) {
  // Flags and the listener are not part of the program.
  std::string out = concat(s.default_action, " ", s.default_errno_ret.value_or(EPERM));
  for (const std::string& arch : s.architectures) out += concat(" ", arch);
  for (const oci::SeccompRule& rule : s.syscalls) {
    out += concat("\n", rule.action, " ", rule.errno_ret.value_or(EPERM));
    for (const oci::SeccompArg& a : rule.args)
      out += concat(" ", a.index, a.op, a.value, ",", a.value_two);
    out += ":";
    for (const std::string& name : rule.names) out += concat(" ", name);
  }
  return out;
}

}  // namespace minke::runtime
