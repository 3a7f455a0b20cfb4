// Where a profile's program comes from: the build, a cache, or the compiler.
#include "runtime/seccomp.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "runtime/seccomp_embedded.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

// Bumped when the compiler here changes what it makes of a profile.
constexpr std::string_view kCacheFormat = "minke-seccomp 1";

std::uint64_t fnv(std::string_view text) {
  std::uint64_t h = 1469598103934665603ULL;
  for (unsigned char c : text) h = (h ^ c) * 1099511628211ULL;
  return h;
}

std::uint32_t flag_bits(const oci::Seccomp& profile) {
  std::uint32_t bits = 0;
  for (const std::string& flag : profile.flags) {
    if (flag == "SECCOMP_FILTER_FLAG_LOG") bits |= SECCOMP_FILTER_FLAG_LOG;
    if (flag == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") bits |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if (flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") bits |= 1U << 5;
  }
  return bits;
}

bool notifies(const oci::Seccomp& profile) {
  for (const oci::SeccompRule& rule : profile.syscalls)
    if (rule.action == "SCMP_ACT_NOTIFY") return true;
  return false;
}

SeccompProgram with_flags(const oci::Seccomp& profile, std::vector<std::uint64_t> code) {
  SeccompProgram program;
  program.code = std::move(code);
  program.flags = flag_bits(profile);
  program.listener = notifies(profile);
  if (program.listener) program.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return program;
}

// A cache file: the format line, the canonical profile, a zero byte, the program. The profile is
// compared whole; the hash in the file's name only finds it.
std::string cache_head(const std::string& canonical) {
  std::string head = concat(kCacheFormat, "\n", canonical);
  head.push_back('\0');
  return head;
}

std::vector<std::uint64_t> read_cache(const std::string& path, const std::string& canonical) {
  auto text = sys::read_small_file(path, 1 << 20);
  std::string head = cache_head(canonical);
  if (!text || !text->starts_with(head)) return {};
  std::size_t size = text->size() - head.size();
  if (size == 0 || size % 8 != 0 || size / 8 > 4096) return {};
  std::vector<std::uint64_t> code(size / 8);
  ::memcpy(code.data(), text->data() + head.size(), size);
  return code;
}

void write_cache(const std::string& path, const std::string& canonical,
                 const std::vector<std::uint64_t>& code) {
  std::string text = cache_head(canonical);
  text.append(reinterpret_cast<const char*>(code.data()), code.size() * 8);
  ignore(sys::write_file(path, text, 0600), "without a cache the next start compiles again");
}

}  // namespace

Result<SeccompProgram> load_seccomp_program(const oci::Seccomp& profile) {
  std::string canonical = canonical_seccomp(profile);
  if (canonical == kEmbeddedProfile)
    return with_flags(profile, {kEmbeddedProgram, kEmbeddedProgram + kEmbeddedLength});
  const char* folder = ::getenv("MINKE_SECCOMP_CACHE");
  std::string path;
  if (folder != nullptr && *folder != 0) {
    path = concat(folder, "/", format("%016llx", static_cast<unsigned long long>(fnv(canonical))));
    std::vector<std::uint64_t> code = read_cache(path, canonical);
    if (!code.empty()) return with_flags(profile, std::move(code));
  }
  SeccompProgram program = TRY(compile_seccomp(profile));
  if (!path.empty()) write_cache(path, canonical, program.code);
  return program;
}

}  // namespace minke::runtime
