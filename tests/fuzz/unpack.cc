// A layer's tar through reader and extractor into a folder, beside a canary that must not change.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codec/tar_reader.h"
#include "imagework/extract.h"
#include "sys/fd.h"

namespace {

using namespace minke;

Status extract(std::string_view bytes, int diff) {
  imagework::Limits limits;
  limits.entries = 1000;
  limits.bytes = 1 << 20;
  imagework::Extractor extractor(diff, true, limits);
  MemorySource source(bytes, 700);
  TarReader reader(source);
  TarEntry entry;
  while (TRY(reader.next(&entry))) {
    // Sizes beyond the limit are for the file system to refuse, not for the fuzzer's disk.
    if (entry.sparse && entry.size > limits.bytes) return Error(Errc::invalid_argument, "large");
    entry.uid = ::getuid();
    entry.gid = ::getgid();
    TRY(extractor.apply(entry, reader));
  }
  return extractor.finish();
}

// One folder for the whole run: TOP/canary and TOP/diff.
std::string make_top() {
  ::umask(0);
  char path[] = "/tmp/minke-fuzz-XXXXXX";
  if (::mkdtemp(path) == nullptr) std::abort();
  if (!sys::write_file(std::string(path) + "/canary", "safe", 0600)) std::abort();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string top = make_top();
  static const bool registered =
      std::atexit([] { ignore(sys::remove_tree_at(sys::DirFd::cwd(), top.c_str()), "exit"); }) == 0;
  (void)registered;
  std::string diff = top + "/diff";
  if (!sys::make_dir_at(sys::DirFd::cwd(), diff.c_str(), 0755)) std::abort();
  {
    auto fd = sys::open(diff, O_RDONLY | O_DIRECTORY);
    ignore(extract({reinterpret_cast<const char*>(data), size}, fd->get()), "most inputs are bad");
  }
  struct stat st {};
  if (sys::read_small_file(top + "/canary").value_or("") != "safe" ||
      ::lstat((top + "/canary").c_str(), &st) != 0 || (st.st_mode & 07777) != 0600 ||
      st.st_nlink != 1 || sys::list_dir(sys::DirFd::cwd(), top.c_str())->size() != 2)
    __builtin_trap();
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), diff.c_str()), "made anew by the next run");
  return 0;
}
