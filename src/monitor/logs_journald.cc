#include "monitor/logs_journald.h"

#include <dlfcn.h>

#include <cstdint>
#include <string_view>

#include "base/str.h"

namespace minke::monitor {
namespace {

struct sd_journal;

// What is used of sd-journal.h; libsystemd's ABI is stable since version 209.
struct Library {
  int (*open)(sd_journal**, int flags);
  void (*close)(sd_journal*);
  int (*add_match)(sd_journal*, const void*, std::size_t);
  int (*seek_head)(sd_journal*);
  int (*seek_tail)(sd_journal*);
  int (*seek_realtime)(sd_journal*, std::uint64_t usec);
  int (*next)(sd_journal*);
  int (*previous)(sd_journal*);
  int (*get_data)(sd_journal*, const char* field, const void** data, std::size_t* size);
  int (*get_realtime)(sd_journal*, std::uint64_t* usec);
  int (*set_data_threshold)(sd_journal*, std::size_t);
  int (*wait)(sd_journal*, std::uint64_t timeout_usec);
};

constexpr int kLocalOnly = 1;  // SD_JOURNAL_LOCAL_ONLY

template <typename F>
bool find(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(::dlsym(library, name));
  return *function != nullptr;
}

Result<Library> load_library() {
  void* handle = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return Error(Errc::unsupported,
                 "log driver journald: reading needs libsystemd.so.0, which is not installed here");
  Library l{};
  bool all = find(handle, "sd_journal_open", &l.open) &&
             find(handle, "sd_journal_close", &l.close) &&
             find(handle, "sd_journal_add_match", &l.add_match) &&
             find(handle, "sd_journal_seek_head", &l.seek_head) &&
             find(handle, "sd_journal_seek_tail", &l.seek_tail) &&
             find(handle, "sd_journal_seek_realtime_usec", &l.seek_realtime) &&
             find(handle, "sd_journal_next", &l.next) &&
             find(handle, "sd_journal_previous", &l.previous) &&
             find(handle, "sd_journal_get_data", &l.get_data) &&
             find(handle, "sd_journal_get_realtime_usec", &l.get_realtime) &&
             find(handle, "sd_journal_set_data_threshold", &l.set_data_threshold) &&
             find(handle, "sd_journal_wait", &l.wait);
  if (!all) return Error(Errc::unsupported, "log driver journald: libsystemd.so.0 is too old");
  return l;
}

class Journal {
 public:
  Journal(const Library& library, sd_journal* journal) : l_(library), journal_(journal) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() { l_.close(journal_); }

  std::string_view field(const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (l_.get_data(journal_, name, &data, &size) < 0) return {};
    std::string_view text(static_cast<const char*>(data), size);  // "NAME=value"
    std::size_t equals = text.find('=');
    return equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  }
  LogLine line() {
    LogLine out;
    std::uint64_t usec = 0;
    if (l_.get_realtime(journal_, &usec) >= 0) out.time = static_cast<TimeNs>(usec) * 1000;
    out.is_stderr = field("PRIORITY") == "3";
    out.partial = field("CONTAINER_PARTIAL_MESSAGE") == "true";
    out.text = field("MESSAGE");
    return out;
  }
  // Stands so that next() gives the first wanted entry.
  void seek(const LogQuery& query) {
    if (query.tail) {
      l_.seek_tail(journal_);
      for (std::int64_t lines = 0;;) {
        if (l_.previous(journal_) <= 0) {
          l_.seek_head(journal_);
          return;
        }
        if (field("CONTAINER_PARTIAL_MESSAGE") != "true" && lines++ == *query.tail) return;
      }
    }
    if (query.since)
      l_.seek_realtime(journal_,
                       static_cast<std::uint64_t>(std::max<TimeNs>(*query.since, 0)) / 1000);
    else
      l_.seek_head(journal_);
  }
  bool next() { return l_.next(journal_) > 0; }
  void wait() { l_.wait(journal_, 100'000); }

 private:
  Library l_;
  sd_journal* journal_;
};

}  // namespace

Status read_journal(const std::string& container_id, const LogQuery& query,
                    const std::function<bool(const LogLine&)>& on_line) {
  Library library = TRY(load_library());
  sd_journal* raw = nullptr;
  int error = library.open(&raw, kLocalOnly);
  if (error < 0) return Error::from_errno(-error, "open the journal");
  Journal journal(library, raw);
  library.set_data_threshold(raw, 0);
  std::string match = concat("CONTAINER_ID_FULL=", container_id);
  error = library.add_match(raw, match.data(), match.size());
  if (error < 0) return Error::from_errno(-error, "search the journal");
  journal.seek(query);
  while (true) {
    bool last = !query.follow || (query.ended && query.ended());
    while (journal.next()) {
      LogLine line = journal.line();
      if (query.since && line.time < *query.since) continue;
      if (query.until && line.time > *query.until) {
        if (query.follow) return {};
        continue;
      }
      if (!on_line(line)) return {};
    }
    if (last) return {};
    journal.wait();
  }
}

}  // namespace minke::monitor
