#include "engine/users.h"

#include <algorithm>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::uint64_t kMaxId = 2147483647;
constexpr std::size_t kMaxFile = 8 << 20;

// Plain decimal digits alone: no sign, no blank, no prefix.
std::optional<std::uint32_t> parse_id(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  auto number = parse_uint(text);
  if (!number || *number > kMaxId) return {};
  return static_cast<std::uint32_t>(*number);
}

std::string read_regular(const Result<sys::UniqueFd>& fd) {
  if (!fd) return "";
  struct stat st {};
  if (::fstat((*fd).get(), &st) < 0 || !S_ISREG(st.st_mode) ||
      st.st_size > static_cast<off_t>(kMaxFile))
    return "";
  return sys::read_all((*fd).get(), kMaxFile, "accounts").value_or("");
}

Error out_of_range() {
  return Error(Errc::invalid_argument, "uids and gids must be in range 0-2147483647");
}

}  // namespace

bool looks_numeric(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with("0x") || text.starts_with("0X"))
    return text.size() > 2 && is_hex(text.substr(2));
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<PasswdEntry> parse_passwd(std::string_view text) {
  std::vector<PasswdEntry> entries;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(trim(line), ':');
    if (fields.size() < 4 || fields[0].empty() || fields[0][0] == '#') continue;
    auto uid = parse_id(fields[2]), gid = parse_id(fields[3]);
    if (!uid || !gid) continue;
    entries.push_back(
        {std::string(fields[0]), *uid, *gid, std::string(fields.size() > 5 ? fields[5] : "")});
  }
  return entries;
}

std::vector<GroupEntry> parse_group(std::string_view text) {
  std::vector<GroupEntry> entries;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(trim(line), ':');
    if (fields.size() < 3 || fields[0].empty() || fields[0][0] == '#') continue;
    auto gid = parse_id(fields[2]);
    if (!gid) continue;
    GroupEntry& entry = entries.emplace_back();
    entry.name = fields[0];
    entry.gid = *gid;
    if (fields.size() > 3)
      for (std::string_view member : split(fields[3], ','))
        if (!trim(member).empty()) entry.members.emplace_back(trim(member));
  }
  return entries;
}

std::string read_account_file(int root_fd, const char* path) {
  return read_regular(sys::open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
}
std::string read_account_file(const std::string& host_path) {
  return read_regular(sys::open(host_path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
}

Result<ResolvedUser> resolve_user(std::string_view spec, const std::vector<std::string>& groups,
                                  std::string_view passwd, std::string_view group) {
  auto parts = split_once(spec, ':');
  std::string_view user_text = parts ? parts->first : spec;
  std::string_view group_text = parts ? parts->second : std::string_view();
  std::vector<PasswdEntry> users = parse_passwd(passwd);
  std::vector<GroupEntry> known_groups = parse_group(group);

  ResolvedUser user;
  if (!user_text.empty()) {
    auto number = parse_id(user_text);
    if (!number && looks_numeric(user_text)) return out_of_range();
    auto entry = std::find_if(users.begin(), users.end(), [&](const PasswdEntry& e) {
      return number ? e.uid == *number : e.name == user_text;
    });
    if (entry == users.end() && !number)
      return Error(Errc::invalid_argument, concat("unable to find user ", user_text,
                                                  ": no matching entries in passwd file"));
    if (number) user.uid = *number;
    if (entry != users.end()) {
      user = {entry->uid,  entry->gid, {},   entry->home.empty() ? "/" : entry->home,
              entry->name, true,       false};
    }
  } else if (auto entry = std::find_if(users.begin(), users.end(),
                                       [](const PasswdEntry& e) { return e.uid == 0; });
             entry != users.end()) {
    user = {0, entry->gid, {}, entry->home.empty() ? "/" : entry->home, entry->name, true, false};
  }

  auto find_gid = [&](std::string_view text, const char* what) -> Result<std::uint32_t> {
    auto number = parse_id(text);
    if (number) return *number;
    if (looks_numeric(text)) return out_of_range();
    for (const GroupEntry& e : known_groups)
      if (e.name == text) return e.gid;
    return Error(Errc::invalid_argument, concat(what, text, ": no matching entries in group file"));
  };
  if (!group_text.empty()) user.gid = TRY(find_gid(group_text, "unable to find group "));

  auto add = [&](std::uint32_t gid) {
    auto& list = user.additional_gids;
    if (std::find(list.begin(), list.end(), gid) == list.end()) list.push_back(gid);
  };
  // The primary group too, or files that deny it stay open to the process (CVE-2022-2989).
  add(user.gid);
  if (group_text.empty() && !user.name.empty())
    for (const GroupEntry& e : known_groups)
      if (std::find(e.members.begin(), e.members.end(), user.name) != e.members.end()) add(e.gid);
  for (const std::string& name : groups)
    add(TRY(find_gid(name, "looking up supplemental groups: Unable to find group ")));
  for (const GroupEntry& e : known_groups) user.in_group = user.in_group || e.gid == user.gid;
  return user;
}

}  // namespace minke::engine
