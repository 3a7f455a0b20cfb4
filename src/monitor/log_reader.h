// Records of the file log drivers, as they lie on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitor/logs.h"
#include "sys/fd.h"

namespace minke::monitor {

enum class LogFormat { k8s, json };

// One record without its line end; nothing for what is no record (a line torn by a full disk,
// foreign text).
std::optional<LogLine> parse_record(LogFormat format, std::string_view record);

// Where in a file its last `*wanted` lines begin. Lines are counted, not records: the pieces of one
// line count once. `*wanted` is lowered by what was found, so that an older file can be asked for
// the rest.
Result<std::int64_t> find_tail(int fd, LogFormat format, std::int64_t* wanted);

// A record longer than this is cut: no file of ours has one.
constexpr std::size_t kMaxRecord = 1 << 20;

}  // namespace minke::monitor
