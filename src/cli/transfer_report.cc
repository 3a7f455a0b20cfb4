#include "cli/transfer_report.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/str.h"
#include "base/time.h"
#include "codec/units.h"

namespace minke::cli {
namespace {

constexpr std::int64_t kFrame = 100'000'000;

void put(std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

}  // namespace

TransferReport::TransferReport(Way way, bool quiet)
    : way_(way), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

engine::TransferWatch TransferReport::watch() {
  if (quiet_) return {};
  return [this](const engine::TransferEvent& event) { take(event); };
}

void TransferReport::line(const std::string& text) {
  settle();
  put(text + "\n");
}

TransferReport::Row& TransferReport::row(const std::string& digest) {
  for (Row& row : rows_)
    if (row.digest == digest) return row;
  rows_.push_back({digest});
  return rows_.back();
}

std::string TransferReport::text_of(const Row& row, std::size_t width) const {
  std::string text = concat("Copying blob ", row.digest.substr(7, 12), " ");
  if (row.skipped) return text + "skipped: already exists";
  if (row.finished) return text + "done";
  std::string amount = concat(units::human_size(static_cast<double>(row.done)), " / ",
                              units::human_size(static_cast<double>(row.total)));
  if (width > text.size() + amount.size() + 16 && row.total > 0) {
    std::size_t room = std::min<std::size_t>(width - text.size() - amount.size() - 5, 40);
    std::size_t part =
        static_cast<std::size_t>(static_cast<double>(std::min(row.done, row.total)) /
                                 static_cast<double>(row.total) * static_cast<double>(room));
    text += concat("[", std::string(part, '='), std::string(room - part, ' '), "] ");
  }
  return (text + amount).substr(0, width - 1);
}

// The rows again, over those drawn before; on a low terminal only those that still move.
void TransferReport::draw() {
  winsize size = terminal_size();
  std::string out;
  if (drawn_ > 0) out += concat("\x1b[", drawn_, "A");
  std::vector<const Row*> shown;
  for (const Row& row : rows_) shown.push_back(&row);
  if (shown.size() + 1 > size.ws_row)
    std::erase_if(shown, [](const Row* row) { return row->finished || row->skipped; });
  if (shown.size() + 1 > size.ws_row) shown.resize(size.ws_row - 1U);
  for (const Row* row : shown) out += concat("\r", text_of(*row, size.ws_col), "\x1b[K\n");
  out += "\x1b[J";
  drawn_ = shown.size();
  put(out);
}

void TransferReport::settle() {
  if (terminal_ && !rows_.empty()) draw();
  rows_.clear();
  drawn_ = 0;
}

void TransferReport::take(const engine::TransferEvent& event) {
  using Kind = engine::TransferEvent::Kind;
  if (event.kind == Kind::resolved) return line(event.text);
  if (event.kind == Kind::trying) {
    begun_ = false;
    return line(concat("Trying to pull ", event.text, "..."));
  }
  if (event.kind == Kind::started) begun_ = true;
  if (event.kind == Kind::started) return line("Getting image source signatures");
  if (event.kind == Kind::config) return line(concat("Copying config ", event.digest));
  if (event.kind == Kind::manifest)
    return line(way_ == Way::pull ? "Writing manifest to image destination\nStoring signatures"
                                  : "Writing manifest to image destination");
  if (!terminal_) {
    if (event.kind == Kind::blob) line(concat("Copying blob ", event.digest));
    if (event.kind == Kind::skipped && begun_)
      line(concat("Copying blob ", event.digest, " skipped: already exists"));
    return;
  }
  if (!begun_) return;
  Row& at = row(event.digest);
  if (event.total != 0) at.total = event.total;
  if (event.kind == Kind::progress) at.done = std::max(at.done, event.done);
  at.skipped = at.skipped || event.kind == Kind::skipped;
  at.finished = at.finished || event.kind == Kind::finished;
  TimeNs now_ns = now();
  if (event.kind == Kind::progress && now_ns - last_ < kFrame) return;
  last_ = now_ns;
  draw();
}

}  // namespace minke::cli
