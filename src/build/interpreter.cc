#include "build/interpreter.h"

#include <elf.h>

#include <algorithm>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

struct Machine {
  std::string_view architecture;
  std::uint8_t bits, order;  // ELFCLASS.., ELFDATA..
  std::uint16_t number;      // EM_..
};
constexpr Machine kMachines[] = {
    {"amd64", ELFCLASS64, ELFDATA2LSB, EM_X86_64},  {"386", ELFCLASS32, ELFDATA2LSB, EM_386},
    {"arm64", ELFCLASS64, ELFDATA2LSB, EM_AARCH64}, {"arm", ELFCLASS32, ELFDATA2LSB, EM_ARM},
    {"ppc64le", ELFCLASS64, ELFDATA2LSB, EM_PPC64}, {"ppc64", ELFCLASS64, ELFDATA2MSB, EM_PPC64},
    {"s390x", ELFCLASS64, ELFDATA2MSB, EM_S390},    {"riscv64", ELFCLASS64, ELFDATA2LSB, EM_RISCV},
    {"mips64le", ELFCLASS64, ELFDATA2LSB, EM_MIPS}, {"mips64", ELFCLASS64, ELFDATA2MSB, EM_MIPS},
    {"mipsle", ELFCLASS32, ELFDATA2LSB, EM_MIPS},   {"mips", ELFCLASS32, ELFDATA2MSB, EM_MIPS},
    {"loong64", ELFCLASS64, ELFDATA2LSB, 258},  // newer than Debian 12's <elf.h>
};

// What such a program begins with.
std::string head_of(const Machine& machine) {
  std::string head(sizeof(Elf64_Ehdr), '\0');
  auto put = [&](std::size_t at, std::uint16_t value) {
    const bool little = machine.order == ELFDATA2LSB;
    head[at + (little ? 0 : 1)] = static_cast<char>(value & 0xff);
    head[at + (little ? 1 : 0)] = static_cast<char>(value >> 8);
  };
  head.replace(0, SELFMAG, ELFMAG);
  head[EI_CLASS] = static_cast<char>(machine.bits);
  head[EI_DATA] = static_cast<char>(machine.order);
  head[EI_VERSION] = EV_CURRENT;
  put(offsetof(Elf64_Ehdr, e_type), ET_EXEC);
  put(offsetof(Elf64_Ehdr, e_machine), machine.number);
  return head;
}

std::string bytes_of(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(parse_uint(hex.substr(i, 2), 16).value_or(0));
  return out;
}

// The kernel's own description of an entry.
bool takes(std::string_view entry, std::string_view head) {
  std::string magic, mask;
  std::size_t offset = 0;
  bool enabled = false;
  for (std::string_view line : split(entry, '\n')) {
    if (line == "enabled") enabled = true;
    if (line.starts_with("offset ")) offset = parse_uint(line.substr(7)).value_or(0);
    if (line.starts_with("magic ")) magic = bytes_of(line.substr(6));
    if (line.starts_with("mask ")) mask = bytes_of(line.substr(5));
  }
  if (!enabled || magic.empty() || offset > head.size() || magic.size() > head.size() - offset)
    return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    const int ignored = i < mask.size() ? ~mask[i] : 0;
    if (((magic[i] ^ head[offset + i]) & ~ignored & 0xff) != 0) return false;
  }
  return true;
}

}  // namespace

bool has_interpreter(std::string_view architecture, const std::string& folder) {
  const auto* machine = std::find_if(std::begin(kMachines), std::end(kMachines),
                                     [&](auto& row) { return row.architecture == architecture; });
  auto dir = sys::open_dir(folder);
  if (machine == std::end(kMachines) || !dir) return false;
  auto status = sys::read_small_file_at(*dir, "status");
  auto names = sys::list_dir(*dir);
  if (!names || !status || trim(*status) != "enabled") return false;
  const std::string head = head_of(*machine);
  return std::any_of(names->begin(), names->end(), [&](const std::string& name) {
    if (name == "status" || name == "register") return false;
    auto entry = sys::read_small_file_at(*dir, name.c_str());
    return entry && takes(*entry, head);
  });
}

}  // namespace minke::build
