// What happened: recorded by the verbs of the engine as they end well, read back by `events`.
// Recording never fails a verb.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/host.h"
#include "monitor/event_log.h"

namespace minke::engine {

struct ContainerConfig;
struct ContainerSummary;

monitor::EventSink event_sink(const Host& host);

void emit(const Host& host, const monitor::Event& event);
void emit_container(const Host& host, std::string_view status, const ContainerSummary& container,
                    std::optional<int> exit_code = {});
void emit_container(const Host& host, std::string_view status, const ContainerConfig& container,
                    std::optional<int> exit_code = {});
void emit_image(const Host& host, std::string_view status, std::string_view id,
                std::string_view name);
void emit_volume(const Host& host, std::string_view status, std::string_view name);
// "system": prune, reset, renumber, refresh; `type` is what was pruned.
void emit_secret(const Host& host, std::string_view status, std::string_view id);
void emit_system(const Host& host, std::string_view status);
void emit_prune(const Host& host, std::string_view type);

// Attributes of an event in their order.
std::vector<monitor::Attribute> event_attributes(const std::map<std::string, std::string>& labels);

struct EventQuery {
  // "key=value": those of one key are alternatives, keys must all hold, and so must all labels.
  std::vector<std::string> filters;
  std::optional<TimeNs> since, until;  // both exclusive
  bool follow = false;
  bool from_start = true;  // else only what happens from now on
};

// Calls for each event that fits, oldest first, until `on_event` says false, all is read, or, when
// following, `until` has come. Errors: `x is an invalid filter`; a backend that keeps nothing.
Status read_events(const Host& host, const EventQuery& query,
                   const std::function<bool(const monitor::Event&)>& on_event);

// One line of the log; false when it is none (a record that a full disk cut short).
bool parse_event(std::string_view line, monitor::Event* event);

// The same from the journal (events_journal.cc).
class EventFilter {
 public:
  static Result<EventFilter> parse(const EventQuery& query);
  bool matches(const monitor::Event& event) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::optional<TimeNs> since_, until_;
};
Status read_journal_events(const EventQuery& query, const EventFilter& filter,
                           const std::function<bool(const monitor::Event&)>& on_event);

}  // namespace minke::engine
