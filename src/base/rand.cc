#include "base/rand.h"

#include <sys/random.h>

#include "base/result.h"
#include "base/str.h"

namespace minke {

std::string random_hex(int bytes) {
  std::string raw(static_cast<std::size_t>(bytes), '\0');
  // getrandom never gives less than asked for up to 256 bytes (getrandom(2)).
  MINKE_CHECK(bytes <= 256 && ::getrandom(raw.data(), raw.size(), 0) == bytes);
  return hex(raw);
}

}  // namespace minke
