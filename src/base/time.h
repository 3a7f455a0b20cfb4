// Wall-clock times and Go's durations, as Podman reads and prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minke {

// Nanoseconds since 1970-01-01 UTC; `kZeroTime` stands for Go's time.Time{} (year 1).
using TimeNs = std::int64_t;
constexpr TimeNs kZeroTime = INT64_MIN;
constexpr std::int64_t kSecond = 1'000'000'000;

TimeNs now();
std::int64_t monotonic_ns();

// Go's RFC3339Nano in the local zone ("2006-01-02T15:04:05.999999999Z07:00"), trailing zeros of the
// fraction dropped; `digits` 0 gives whole seconds, 9 (fixed) gives all nine. kZeroTime is
// "0001-01-01T00:00:00Z".
std::string format_rfc3339(TimeNs time, int digits = -1, bool utc = false);
// Go's time.Time String(): "2006-01-02 15:04:05.999999999 -0700 MST".
std::string format_go_time(TimeNs time, bool utc = false);
// RFC 3339 with or without fraction, with zone; nothing for anything else.
std::optional<TimeNs> parse_rfc3339(std::string_view text);
// What --since and --until take: RFC 3339, a date, seconds[.nanos] since 1970, or a Go duration
// before now.
std::optional<TimeNs> parse_timestamp(std::string_view text, TimeNs relative_to);
// "1h2m3.5s", "100ms", "-5s"; nothing when malformed. Nanoseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
// Go's Duration.String(): "1h2m3.5s", "0s", "1.5ms".
std::string format_duration(std::int64_t ns);
// go-units HumanDuration: "Less than a second", "5 seconds", "About a minute", "3 weeks".
std::string human_duration(std::int64_t ns);

}  // namespace minke
