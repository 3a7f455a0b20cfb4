#include "store/layout.h"

#include "base/str.h"
#include "codec/digest.h"

namespace minke::store {

std::vector<std::string> chain_ids_of(const std::vector<oci::Digest>& diff_ids) {
  std::vector<std::string> chain;
  std::string below;
  for (const oci::Digest& diff_id : diff_ids) {
    if (below.empty())
      below = diff_id.str();
    else
      below = concat("sha256:", sha256_hex(concat(below, " ", diff_id.str())));
    chain.emplace_back(std::string_view(below).substr(below.find(':') + 1));
  }
  return chain;
}

}  // namespace minke::store
