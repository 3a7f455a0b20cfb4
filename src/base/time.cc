#include "base/time.h"

#include <cmath>
#include <cstdlib>
#include <ctime>

#include "base/str.h"

namespace minke {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return ts.tv_sec * kSecond + ts.tv_nsec;
}

struct Broken {
  std::tm tm{};
  std::int64_t nanos = 0;
};

Broken break_down(TimeNs time, bool utc) {
  std::int64_t seconds = time / kSecond;
  std::int64_t nanos = time % kSecond;
  if (nanos < 0) {
    nanos += kSecond;
    --seconds;
  }
  Broken out;
  out.nanos = nanos;
  time_t t = seconds;
  if (utc)
    ::gmtime_r(&t, &out.tm);
  else
    ::localtime_r(&t, &out.tm);
  return out;
}

std::string fraction(std::int64_t nanos, int digits) {
  if (digits == 0) return {};
  std::string text = format(".%09lld", static_cast<long long>(nanos));
  if (digits > 0) return text.substr(0, static_cast<std::size_t>(digits) + 1);
  while (!text.empty() && text.back() == '0') text.pop_back();
  return text == "." ? std::string() : text;
}

// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's days_from_civil).
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  auto yoe = static_cast<unsigned>(y - era * 400);
  unsigned doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

// Reads exactly `count` digits.
bool take_digits(std::string_view& text, int count, int* value) {
  if (text.size() < static_cast<std::size_t>(count)) return false;
  *value = 0;
  for (int i = 0; i < count; ++i) {
    char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(count));
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_fraction(std::string_view& text) {
  std::int64_t nanos = 0;
  std::int64_t scale = kSecond / 10;
  std::size_t count = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanos += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return nanos;
}

struct Unit {
  std::string_view name;
  double ns;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};

}  // namespace

TimeNs now() { return read_clock(CLOCK_REALTIME); }
std::int64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }

std::string format_rfc3339(TimeNs time, int digits, bool utc) {
  if (time == kZeroTime) return "0001-01-01T00:00:00Z";
  Broken b = break_down(time, utc);
  char date[40];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &b.tm);
  std::string out = concat(static_cast<const char*>(date), fraction(b.nanos, digits));
  if (b.tm.tm_gmtoff == 0) return out + "Z";
  long offset = std::labs(b.tm.tm_gmtoff);
  return out +
         format("%c%02ld:%02ld", b.tm.tm_gmtoff < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
}

std::string format_go_time(TimeNs time, bool utc) {
  if (time == kZeroTime) return "0001-01-01 00:00:00 +0000 UTC";
  Broken b = break_down(time, utc);
  char date[40];
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &b.tm);
  char zone[40];
  std::strftime(zone, sizeof zone, utc ? " +0000 UTC" : " %z %Z", &b.tm);
  return concat(static_cast<const char*>(date), fraction(b.nanos, -1),
                static_cast<const char*>(zone));
}

std::optional<TimeNs> parse_rfc3339(std::string_view text) {
  int year, month, day, hour, minute, second;
  if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) ||
      !take_char(text, '-') || !take_digits(text, 2, &day))
    return std::nullopt;
  if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' ')) return std::nullopt;
  if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute) ||
      !take_char(text, ':') || !take_digits(text, 2, &second))
    return std::nullopt;
  std::int64_t nanos = 0;
  if (take_char(text, '.')) {
    auto part = take_fraction(text);
    if (!part) return std::nullopt;
    nanos = *part;
  }
  std::int64_t offset = 0;
  if (!take_char(text, 'Z') && !take_char(text, 'z')) {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    int oh, om;
    if (!take_digits(text, 2, &oh) || !take_char(text, ':') || !take_digits(text, 2, &om))
      return std::nullopt;
    offset = sign * (oh * 3600 + om * 60);
  }
  if (!text.empty() || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second > 60)
    return std::nullopt;
  std::int64_t days =
      days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  std::int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
  if (std::llabs(seconds) > INT64_MAX / kSecond - 1)
    return year == 1 ? std::optional(kZeroTime) : std::nullopt;
  return seconds * kSecond + nanos;
}

std::optional<TimeNs> parse_timestamp(std::string_view text, TimeNs relative_to) {
  if (auto t = parse_rfc3339(text)) return t;
  if (auto t = parse_rfc3339(concat(text, "Z"))) return t;
  if (text.size() == 16)
    if (auto t = parse_rfc3339(concat(text, ":00Z"))) return t;
  if (text.size() == 10 && text[4] == '-')
    if (auto t = parse_rfc3339(concat(text, "T00:00:00Z"))) return t;
  std::string_view rest = text;
  auto parts = split_once(text, '.');
  if (auto seconds = parse_int(parts ? parts->first : text)) {
    if (std::llabs(*seconds) > INT64_MAX / kSecond - 1) return std::nullopt;
    std::int64_t nanos = 0;
    if (parts) {
      rest = parts->second;
      auto part = take_fraction(rest);
      if (!part || !rest.empty()) return std::nullopt;
      nanos = *part;
    }
    return *seconds * kSecond + nanos;
  }
  if (auto ago = parse_duration(text)) return relative_to - *ago;
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  bool negative = false;
  if (take_char(text, '-'))
    negative = true;
  else
    take_char(text, '+');
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    auto number = parse_double(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    std::size_t size = text.find_first_of("0123456789.");
    std::string_view name = text.substr(0, size);
    const Unit* unit = nullptr;
    for (const Unit& u : kUnits)
      if (u.name == name) unit = &u;
    if (unit == nullptr) return std::nullopt;
    total += *number * unit->ns;
    text.remove_prefix(name.size());
  }
  if (total > 9.2e18) return std::nullopt;
  auto ns = static_cast<std::int64_t>(std::llround(total));
  return negative ? -ns : ns;
}

std::string format_duration(std::int64_t ns) {
  if (ns == 0) return "0s";
  std::string sign = ns < 0 ? "-" : "";
  std::uint64_t u = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  auto decimal = [](std::uint64_t value, std::uint64_t unit, int width) {
    std::string text = concat(value / unit);
    if (std::uint64_t part = value % unit) {
      std::string tail = format("%0*llu", width, static_cast<unsigned long long>(part));
      while (tail.back() == '0') tail.pop_back();
      text += "." + tail;
    }
    return text;
  };
  if (u < 1000) return concat(sign, u, "ns");
  if (u < 1'000'000) return concat(sign, decimal(u, 1000, 3), "\xc2\xb5s");
  if (u < 1'000'000'000) return concat(sign, decimal(u, 1'000'000, 6), "ms");
  constexpr std::uint64_t kSec = 1'000'000'000;
  std::uint64_t hours = u / (3600 * kSec);
  std::uint64_t minutes = u / (60 * kSec) % 60;
  std::string out = sign;
  if (hours > 0) out += concat(hours, "h");
  if (hours > 0 || minutes > 0) out += concat(minutes, "m");
  return out + decimal(u % (60 * kSec), kSec, 9) + "s";
}

std::string human_duration(std::int64_t ns) {
  std::int64_t seconds = ns / kSecond;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return concat(seconds, " seconds");
  std::int64_t minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return concat(minutes, " minutes");
  std::int64_t hours = (seconds + 1800) / 3600;
  if (hours == 1) return "About an hour";
  if (hours < 48) return concat(hours, " hours");
  if (hours < 24 * 7 * 2) return concat(hours / 24, " days");
  if (hours < 24 * 30 * 2) return concat(hours / 24 / 7, " weeks");
  if (hours < 24 * 365 * 2) return concat(hours / 24 / 30, " months");
  return concat(hours / 24 / 365, " years");
}

}  // namespace minke
