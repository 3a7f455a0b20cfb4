#include "monitor/journal.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

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
  int (*seek_cursor)(sd_journal*, const char*);
  int (*get_cursor)(sd_journal*, char**);
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
                 "reading the journal needs libsystemd.so.0, which is not installed here");
  Library l{};
  bool all = find(handle, "sd_journal_open", &l.open) &&
             find(handle, "sd_journal_close", &l.close) &&
             find(handle, "sd_journal_add_match", &l.add_match) &&
             find(handle, "sd_journal_seek_head", &l.seek_head) &&
             find(handle, "sd_journal_seek_tail", &l.seek_tail) &&
             find(handle, "sd_journal_seek_realtime_usec", &l.seek_realtime) &&
             find(handle, "sd_journal_seek_cursor", &l.seek_cursor) &&
             find(handle, "sd_journal_get_cursor", &l.get_cursor) &&
             find(handle, "sd_journal_next", &l.next) &&
             find(handle, "sd_journal_previous", &l.previous) &&
             find(handle, "sd_journal_get_data", &l.get_data) &&
             find(handle, "sd_journal_get_realtime_usec", &l.get_realtime) &&
             find(handle, "sd_journal_set_data_threshold", &l.set_data_threshold) &&
             find(handle, "sd_journal_wait", &l.wait);
  if (!all) return Error(Errc::unsupported, "reading the journal: libsystemd.so.0 is too old");
  return l;
}

}  // namespace

struct Journal::Open {
  Library l;
  sd_journal* journal = nullptr;
};

Result<Journal> Journal::open() {
  auto opened = std::make_unique<Open>();
  opened->l = TRY(load_library());
  int error = opened->l.open(&opened->journal, kLocalOnly);
  if (error < 0) return Error::from_errno(-error, "open the journal");
  opened->l.set_data_threshold(opened->journal, 0);
  return Journal(std::move(opened));
}

Journal::Journal(std::unique_ptr<Open> open) : open_(std::move(open)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal::~Journal() {
  if (open_) open_->l.close(open_->journal);
}

Status Journal::add_match(const std::string& match) {
  int error = open_->l.add_match(open_->journal, match.data(), match.size());
  if (error < 0) return Error::from_errno(-error, "search the journal");
  return {};
}

void Journal::seek_head() { open_->l.seek_head(open_->journal); }
void Journal::seek_tail() { open_->l.seek_tail(open_->journal); }
void Journal::seek_time(TimeNs time) {
  open_->l.seek_realtime(open_->journal,
                         static_cast<std::uint64_t>(std::max<TimeNs>(time, 0)) / 1000);
}
std::string Journal::cursor() {
  char* text = nullptr;
  if (open_->l.get_cursor(open_->journal, &text) < 0) return {};
  std::string out = text;
  ::free(text);
  return out;
}
void Journal::seek_cursor(const std::string& cursor) {
  open_->l.seek_cursor(open_->journal, cursor.c_str());
}
bool Journal::next() { return open_->l.next(open_->journal) > 0; }
bool Journal::previous() { return open_->l.previous(open_->journal) > 0; }

std::string_view Journal::field(const char* name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (open_->l.get_data(open_->journal, name, &data, &size) < 0) return {};
  std::string_view text(static_cast<const char*>(data), size);  // "NAME=value"
  std::size_t equals = text.find('=');
  return equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
}

TimeNs Journal::time() {
  std::uint64_t usec = 0;
  if (open_->l.get_realtime(open_->journal, &usec) < 0) return 0;
  return static_cast<TimeNs>(usec) * 1000;
}

void Journal::wait(std::int64_t timeout_ms) {
  open_->l.wait(open_->journal, static_cast<std::uint64_t>(timeout_ms) * 1000);
}

}  // namespace minke::monitor
