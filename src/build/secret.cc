#include "build/secret.h"

#include <cstdlib>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::build {

Result<std::string> read_secret(const SecretSource& source, std::string_view id) {
  if (source.env.empty())
    return TRY_CTX(sys::read_small_file(source.file, std::size_t{1} << 20), concat("secret ", id));
  const char* value = ::getenv(source.env.c_str());
  return std::string(value != nullptr ? value : "");
}

}  // namespace minke::build
