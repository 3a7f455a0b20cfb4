#include "monitor/settle.h"

#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace minke::monitor {
namespace {

// Memory is given back this long after the start, and this long after something happened.
constexpr std::int64_t kFirstSettleMs = 50, kSettleMs = 1000;
// Not before something that is due within this time (a health check each second): that would only
// bring all of it back, page by page.
constexpr int kRestMs = 5000;

// Text and constants of this program: never written, so they can be given back at any time.
struct ReadOnlyPages {
  struct {
    std::uintptr_t start, size;
  } ranges[8];
  int count = 0;
};
int find_read_only_pages(dl_phdr_info* program, std::size_t, void* out) {
  auto* pages = static_cast<ReadOnlyPages*>(out);
  for (int i = 0; i < program->dlpi_phnum && pages->count < 8; ++i) {
    const ElfW(Phdr)& header = program->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    std::uintptr_t address = program->dlpi_addr + header.p_vaddr,
                   start = address & ~std::uintptr_t{4095};
    pages->ranges[pages->count++] = {start, address - start + header.p_memsz};
  }
  return 1;  // the first is the program itself
}

// Gives free heap and the pages of our own program back, which are in the page cache anyway, then
// waits in this very function: until something happens no more of the program is touched. The
// kernel maps 64 KiB around each page that is, so a walk through the event loop would bring most of
// it back.
void settle_memory(sys::EventLoop& loop) {
  int due = loop.next_timeout_ms();
  if (due >= 0 && due < kRestMs) {
    loop.add_timer(2 * kRestMs, [&loop] { settle_memory(loop); });
    return;
  }
  ::malloc_trim(0);
  ReadOnlyPages pages;
  ::dl_iterate_phdr(find_read_only_pages, &pages);
  pollfd wait{loop.fd(), POLLIN, 0};
  int timeout = loop.next_timeout_ms();
  timespec until{timeout / 1000, timeout % 1000 * 1'000'000L};
  for (int i = 0; i < pages.count; ++i)
    ::syscall(SYS_madvise, pages.ranges[i].start, pages.ranges[i].size, MADV_DONTNEED);
  ::syscall(SYS_ppoll, &wait, 1, timeout < 0 ? nullptr : &until, nullptr, 0);
  loop.add_timer(kSettleMs, [&loop] { settle_memory(loop); });
}

}  // namespace

void settle_memory_soon(sys::EventLoop& loop) {
  loop.add_timer(kFirstSettleMs, [&loop] { settle_memory(loop); });
}

}  // namespace minke::monitor
