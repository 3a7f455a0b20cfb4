// The log of what happened: one JSON line for each event, in Podman's shape, appended by commands
// and monitors alike with a single write. It is bounded: a full file becomes PATH.1, so between one
// and two files of half the size are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace minke::monitor {

struct Attribute {
  std::string key, value;
};

struct Event {
  std::string type;    // container image volume system ...
  std::string status;  // create start died ...
  std::string id, name, image, network, health_status, error;
  std::string health_log;                  // the check's own record, where events are its log
  std::int32_t health_failing_streak = 0;  // of a health_status
  bool has_exit_code = false;
  std::int32_t exit_code = 0;
  TimeNs time = 0;  // 0: now
  // Labels of a container, key and value, by key.
  std::vector<Attribute> attributes;
};

// Where events go.
struct EventSink {
  std::string backend = "file";  // file journald none
  std::string path;              // of the file
  std::int64_t max_size = 0;     // bytes of all that is kept; 0: without bound
};

// Its errors are for who wants to tell: nothing that an event is about depends on it.
Status record_event(const EventSink& sink, const Event& event);

// The line without its end, and what a person reads.
std::string event_json(const Event& event);
std::string event_text(const Event& event, std::string_view time, bool truncate);

// As a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace minke::monitor
