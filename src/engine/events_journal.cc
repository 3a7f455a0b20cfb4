#include "base/str.h"
#include "engine/events.h"
#include "monitor/journal.h"

namespace minke::engine {
namespace {

bool read_entry(monitor::Journal& journal, monitor::Event* event) {
  // The labels are the one part that is JSON; the rest of such a line is made up.
  std::string_view labels = journal.field("PODMAN_LABELS");
  std::string line =
      concat(R"({"Status":"-","Type":"-","Time":"2000-01-01T00:00:00Z","Attributes":)",
             labels.empty() ? "{}" : labels, '}');
  if (!parse_event(line, event)) return false;
  event->status = journal.field("PODMAN_EVENT");
  event->type = journal.field("PODMAN_TYPE");
  event->time = parse_rfc3339(journal.field("PODMAN_TIME")).value_or(0);
  event->id = journal.field("PODMAN_ID");
  event->name = journal.field("PODMAN_NAME");
  event->image = journal.field("PODMAN_IMAGE");
  event->network = journal.field("PODMAN_NETWORK_NAME");
  event->health_status = journal.field("PODMAN_HEALTH_STATUS");
  event->health_log = journal.field("PODMAN_HEALTH_LOG");
  event->health_failing_streak = static_cast<std::int32_t>(
      parse_int(journal.field("PODMAN_HEALTH_FAILING_STREAK")).value_or(0));
  event->error = journal.field("ERROR");
  if (auto code = parse_int(journal.field("PODMAN_EXIT_CODE"))) {
    event->has_exit_code = true;
    event->exit_code = static_cast<std::int32_t>(*code);
  }
  return event->time != 0 && !event->status.empty() && !event->type.empty();
}

}  // namespace

Status read_journal_events(const EventQuery& query, const EventFilter& filter,
                           const std::function<bool(const monitor::Event&)>& on_event) {
  monitor::Journal journal = TRY_CTX(monitor::Journal::open(), "events backend journald");
  TRY(journal.add_match("SYSLOG_IDENTIFIER=minke"));
  if (!query.from_start) {
    journal.seek_tail();
    journal.previous();  // next() right after the seek may give any entry
  } else if (query.since) {
    journal.seek_time(*query.since);
  } else {
    journal.seek_head();
  }
  monitor::Event event;
  for (;;) {
    while (journal.next())
      if (read_entry(journal, &event) && filter.matches(event) && !on_event(event)) return {};
    if (!query.follow || (query.until && now() >= *query.until)) return {};
    journal.wait(100);
  }
}

}  // namespace minke::engine
