#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "view/event.h"

namespace minke::cli {
namespace {

struct EventsFlags {
  std::vector<std::string> filter;
  std::string format, since, until;
  bool stream = true, no_trunc = true;
};
using F = EventsFlags;
constexpr Option<F> kOptions[] = {
    {"filter", 'f', &F::filter, "filter output"},
    {"format", 0, &F::format, "format the output using a Go template"},
    {"no-trunc", 0, &F::no_trunc, "do not truncate the output"},
    {"since", 0, &F::since, "show all events created since timestamp"},
    {"stream", 0, &F::stream, "stream events and do not exit when returning the last known event"},
    {"until", 0, &F::until, "show all events until timestamp"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

// A duration is before now for --since, after it for --until, as in Podman.
Result<std::optional<TimeNs>> time_of(const char* option, const std::string& text, bool since) {
  if (text.empty()) return std::optional<TimeNs>();
  TimeNs at = now();
  if (auto duration = since ? std::nullopt : parse_duration(text); duration && text != "0")
    return std::optional<TimeNs>(at + *duration);
  auto time = parse_timestamp(text, at);
  if (!time)
    return Error(Errc::invalid_argument,
                 concat("unable to convert ", option, " time of ", text,
                        ": it is neither RFC 3339, nor seconds since 1970, nor a duration"));
  return time;
}

// What Go templates call by the names of Go's struct.
json::Value for_template(const monitor::Event& event) {
  json::Object object = view::event_object(event);
  object.set("Time", event.time / kSecond);
  object.set("TimeNano", event.time);
  if (!event.network.empty()) object.set("Network", event.network);
  if (!event.health_status.empty()) object.set("HealthStatus", event.health_status);
  if (!event.health_log.empty()) object.set("HealthLog", event.health_log);
  object.set("HealthFailingStreak", std::int64_t{event.health_failing_streak});
  return json::Value(std::move(object));
}

Result<int> events(Invocation& call, EventsFlags& flags) {
  engine::EventQuery query;
  query.filters = flags.filter;
  query.since = TRY(time_of("since", flags.since, true));
  query.until = TRY(time_of("until", flags.until, false));
  query.follow = flags.stream;
  query.from_start = !flags.stream || query.since || query.until;
  bool json = is_json_format(flags.format);
  std::optional<RowTemplate> row;
  if (!json && !flags.format.empty()) row = TRY(RowTemplate::parse("events", flags.format));
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->conf());  // it says where they are
  Status fault;
  Status read = engine::read_events(engine->host(), query, [&](const monitor::Event& event) {
    if (json)
      call.out.line(json::dump(json::Value(view::event_object(event))));
    else if (row)
      fault = row->write(call.out, for_template(event), view::kEventShape);
    else
      call.out.line(monitor::event_text(event, format_go_time(event.time), !flags.no_trunc));
    if (flags.stream && fault) fault = call.out.flush();
    return fault.ok() && !call.out.broken();
  });
  if (!fault) return std::move(fault.error());
  TRY(std::move(read));
  return 0;
}

constexpr CommandText kText = {
    .summary = "Show the events of containers, images and volumes",
    .usage = "[options]",
    .description =
        "Monitor system events.\n\nBy default, streaming mode is used, printing new "
        "events as they occur.  Previous events can be listed via --since and --until.",
    .examples = "\n--filter event=create\n--format {{.Image}}\n--since 1h30s",
    .args = ArgRule::none()};

}  // namespace

const constinit Command kEventsCommand = make_command<EventsFlags, events>(kText, kTables);

}  // namespace minke::cli
