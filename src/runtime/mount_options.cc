#include "runtime/mount_options.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include "base/str.h"

// The uapi header and glibc's share names with other values in glibc 2.36; only the attributes are
// used here.

namespace minke::runtime {
namespace {

enum class Kind : std::uint8_t {
  attribute,
  access_time,
  recursive_attribute,
  recursive_access_time,
  superblock,
  nothing
};

struct OptionRow {
  std::string_view name;
  Kind kind;
  bool clear;
  std::uint64_t bits;
};

constexpr OptionRow kOptions[] = {
    {"defaults", Kind::nothing, false, 0},
    {"ro", Kind::attribute, false, MOUNT_ATTR_RDONLY},
    {"rw", Kind::attribute, true, MOUNT_ATTR_RDONLY},
    {"nosuid", Kind::attribute, false, MOUNT_ATTR_NOSUID},
    {"suid", Kind::attribute, true, MOUNT_ATTR_NOSUID},
    {"nodev", Kind::attribute, false, MOUNT_ATTR_NODEV},
    {"dev", Kind::attribute, true, MOUNT_ATTR_NODEV},
    {"noexec", Kind::attribute, false, MOUNT_ATTR_NOEXEC},
    {"exec", Kind::attribute, true, MOUNT_ATTR_NOEXEC},
    {"nodiratime", Kind::attribute, false, MOUNT_ATTR_NODIRATIME},
    {"diratime", Kind::attribute, true, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", Kind::attribute, false, MOUNT_ATTR_NOSYMFOLLOW},
    {"symfollow", Kind::attribute, true, MOUNT_ATTR_NOSYMFOLLOW},
    {"relatime", Kind::access_time, false, MOUNT_ATTR_RELATIME},
    {"norelatime", Kind::access_time, true, 0},
    {"noatime", Kind::access_time, false, MOUNT_ATTR_NOATIME},
    {"atime", Kind::access_time, true, 0},
    {"strictatime", Kind::access_time, false, MOUNT_ATTR_STRICTATIME},
    {"nostrictatime", Kind::access_time, true, 0},
    {"rro", Kind::recursive_attribute, false, MOUNT_ATTR_RDONLY},
    {"rrw", Kind::recursive_attribute, true, MOUNT_ATTR_RDONLY},
    {"rnosuid", Kind::recursive_attribute, false, MOUNT_ATTR_NOSUID},
    {"rsuid", Kind::recursive_attribute, true, MOUNT_ATTR_NOSUID},
    {"rnodev", Kind::recursive_attribute, false, MOUNT_ATTR_NODEV},
    {"rdev", Kind::recursive_attribute, true, MOUNT_ATTR_NODEV},
    {"rnoexec", Kind::recursive_attribute, false, MOUNT_ATTR_NOEXEC},
    {"rexec", Kind::recursive_attribute, true, MOUNT_ATTR_NOEXEC},
    {"rnodiratime", Kind::recursive_attribute, false, MOUNT_ATTR_NODIRATIME},
    {"rdiratime", Kind::recursive_attribute, true, MOUNT_ATTR_NODIRATIME},
    {"rnosymfollow", Kind::recursive_attribute, false, MOUNT_ATTR_NOSYMFOLLOW},
    {"rsymfollow", Kind::recursive_attribute, true, MOUNT_ATTR_NOSYMFOLLOW},
    {"rrelatime", Kind::recursive_access_time, false, MOUNT_ATTR_RELATIME},
    {"rnorelatime", Kind::recursive_access_time, true, 0},
    {"rnoatime", Kind::recursive_access_time, false, MOUNT_ATTR_NOATIME},
    {"ratime", Kind::recursive_access_time, true, 0},
    {"rstrictatime", Kind::recursive_access_time, false, MOUNT_ATTR_STRICTATIME},
    {"rnostrictatime", Kind::recursive_access_time, true, 0},
    {"sync", Kind::superblock, false, MS_SYNCHRONOUS},
    {"async", Kind::superblock, true, MS_SYNCHRONOUS},
    {"dirsync", Kind::superblock, false, MS_DIRSYNC},
    {"lazytime", Kind::superblock, false, 1 << 25},
    {"nolazytime", Kind::superblock, true, 1 << 25},
    {"mand", Kind::superblock, false, MS_MANDLOCK},
    {"nomand", Kind::superblock, true, MS_MANDLOCK},
    {"iversion", Kind::superblock, false, 1 << 23},
    {"noiversion", Kind::superblock, true, 1 << 23},
    {"silent", Kind::superblock, false, 1 << 15},
    {"loud", Kind::superblock, true, 1 << 15},
};

struct PropagationRow {
  std::string_view name;
  unsigned long flags;
};
constexpr PropagationRow kPropagations[] = {
    {"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
    {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
    {"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
};

const OptionRow* find_option(std::string_view name) {
  for (const OptionRow& row : kOptions)
    if (row.name == name) return &row;
  return nullptr;
}

// The later word wins, as in mount(8).
void apply(bool clears, std::uint64_t bits, std::uint64_t* set, std::uint64_t* clear) {
  if (clears) {
    *set &= ~bits;
    *clear |= bits;
  } else {
    *set |= bits;
    *clear &= ~bits;
  }
}

void apply_access_time(bool clears, std::uint64_t mode, std::uint64_t* set, std::uint64_t* clear) {
  *set &= ~std::uint64_t{MOUNT_ATTR__ATIME};
  if (!clears) *set |= mode;
  *clear |= MOUNT_ATTR__ATIME;  // mount_setattr demands it even for relatime, which is 0
}

void apply_row(const OptionRow& row, MountOptions* o) {
  switch (row.kind) {
    case Kind::attribute:
      return apply(row.clear, row.bits, &o->set, &o->clear);
    case Kind::access_time:
      return apply_access_time(row.clear, row.bits, &o->set, &o->clear);
    case Kind::recursive_attribute:
      return apply(row.clear, row.bits, &o->recursive_set, &o->recursive_clear);
    case Kind::recursive_access_time:
      return apply_access_time(row.clear, row.bits, &o->recursive_set, &o->recursive_clear);
    case Kind::superblock:
      if (row.clear)
        o->superblock &= ~row.bits;
      else
        o->superblock |= row.bits;
      return;
    case Kind::nothing:
      return;
  }
}

}  // namespace

unsigned long propagation_flags(std::string_view word) {
  for (const PropagationRow& row : kPropagations)
    if (row.name == word) return row.flags;
  return 0;
}

Result<MountOptions> parse_mount_options(std::string_view type,
                                         const std::vector<std::string>& options) {
  MountOptions out;
  out.bind = type == "bind";
  for (const std::string& word : options) {
    if (word == "bind" || word == "rbind") {
      out.bind = true;
      out.recursive = word == "rbind";
    } else if (word == "tmpcopyup") {
      out.copy_up = true;
    } else if (word == "idmap" || word == "ridmap") {
      out.idmap = word == "idmap" ? IdmapOption::idmap : IdmapOption::ridmap;
    } else if (word.starts_with("idmap=") || word.starts_with("ridmap=")) {
      return Error(Errc::unsupported,
                   concat("option ", quote(word), ": give uidMappings and gidMappings instead"));
    } else if (word.starts_with(kSubpathOption)) {
      out.subpath = word.substr(kSubpathOption.size());
    } else if (unsigned long flags = propagation_flags(word)) {
      out.propagation.push_back(flags);
    } else if (const OptionRow* row = find_option(word)) {
      apply_row(*row, &out);
    } else if (word == "remount") {
      out.remount = true;
    } else if (!word.empty()) {
      out.data.push_back(word);
    }
  }
  if (!out.subpath.empty() && (!out.bind || out.idmap != IdmapOption::none))
    return Error(Errc::unsupported, "a subpath is for bind mounts without idmap only");
  if (out.copy_up && (type != "tmpfs" || out.bind))
    return Error(Errc::invalid_argument, "option \"tmpcopyup\" is for tmpfs only");
  return out;
}

unsigned long mount_flags_of(std::uint64_t a) {
  unsigned long flags = 0;
  if (a & MOUNT_ATTR_RDONLY) flags |= MS_RDONLY;
  if (a & MOUNT_ATTR_NOSUID) flags |= MS_NOSUID;
  if (a & MOUNT_ATTR_NODEV) flags |= MS_NODEV;
  if (a & MOUNT_ATTR_NOEXEC) flags |= MS_NOEXEC;
  if (a & MOUNT_ATTR_NODIRATIME) flags |= MS_NODIRATIME;
  if (a & MOUNT_ATTR_NOSYMFOLLOW) flags |= 256;  // MS_NOSYMFOLLOW, Linux 5.10
  if ((a & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME) flags |= MS_NOATIME;
  if ((a & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME) flags |= MS_STRICTATIME;
  return flags;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> names = {"bind", "idmap", "rbind", "remount", "ridmap", "tmpcopyup"};
  for (const OptionRow& row : kOptions) names.emplace_back(row.name);
  for (const PropagationRow& row : kPropagations) names.emplace_back(row.name);
  return names;
}

}  // namespace minke::runtime
