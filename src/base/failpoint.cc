#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "base/str.h"

namespace minke {

void failpoint(std::string_view name, int step) {
  const char* wanted = ::getenv("MINKE_FAILPOINT");
  if (wanted == nullptr) [[likely]]
    return;
  if (concat(name, ":", step) == wanted) ::kill(::getpid(), SIGKILL);
}

}  // namespace minke
