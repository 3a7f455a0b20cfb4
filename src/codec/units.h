// Sizes as people write and read them, as docker/go-units does (source of the rules and of the
// messages).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::units {

std::string human_size(double bytes,
                       int precision = 4);    // 1000s: "1.23MB"; `precision` significant digits
std::string bytes_size(double bytes);         // 1024s: "1.205MiB"
std::string human_size_spaced(double bytes);  // as Podman's image lists: "4.26 MB", three digits

// "64m", "1.5gb", "512k", "10 MiB", "100b", "100": in 1024s. Errors: "invalid size: 'x'",
// "invalid suffix: 'x'".
Result<std::int64_t> parse_ram(std::string_view text);
// The same in 1000s.
Result<std::int64_t> parse_human_size(std::string_view text);

}  // namespace minke::units
