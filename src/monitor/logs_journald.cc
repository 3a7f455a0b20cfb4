#include "monitor/logs_journald.h"

#include "base/str.h"
#include "monitor/journal.h"

namespace minke::monitor {
namespace {

LogLine line_of(Journal& journal) {
  LogLine out;
  out.time = journal.time();
  out.is_stderr = journal.field("PRIORITY") == "3";
  out.partial = journal.field("CONTAINER_PARTIAL_MESSAGE") == "true";
  out.text = journal.field("MESSAGE");
  return out;
}

// Stands so that next() gives the first wanted entry.
void seek(Journal& journal, const LogQuery& query) {
  if (query.tail) {
    journal.seek_tail();
    std::string first;
    std::int64_t lines = 0;
    bool more;
    while ((more = journal.previous())) {
      bool whole = journal.field("CONTAINER_PARTIAL_MESSAGE") != "true";
      if (whole && lines++ == *query.tail) break;
      first = journal.cursor();
    }
    // Of several files a journal loses its place when it turns round, so it is looked up anew.
    if (!first.empty())
      journal.seek_cursor(first);
    else if (!more)
      journal.seek_head();
    return;
  }
  if (query.since)
    journal.seek_time(*query.since);
  else
    journal.seek_head();
}

}  // namespace

Status read_journal(const std::string& container_id, const LogQuery& query,
                    const std::function<bool(const LogLine&)>& on_line) {
  Journal journal = TRY_CTX(Journal::open(), "log driver journald");
  TRY(journal.add_match(concat("CONTAINER_ID_FULL=", container_id)));
  seek(journal, query);
  while (true) {
    bool last = !query.follow || (query.ended && query.ended());
    while (journal.next()) {
      LogLine line = line_of(journal);
      if (query.since && line.time < *query.since) continue;
      if (query.until && line.time > *query.until) {
        if (query.follow) return {};
        continue;
      }
      if (!on_line(line)) return {};
    }
    if (last) return {};
    journal.wait(100);
  }
}

}  // namespace minke::monitor
