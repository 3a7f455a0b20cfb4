// Base64 (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace minke {

std::string base64_encode(std::string_view bytes);
// The standard alphabet with its padding, line ends anywhere; nothing for anything else.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace minke
