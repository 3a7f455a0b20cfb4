#include "state/name_table.h"

#include <unistd.h>

#include "base/str.h"

namespace minke::state {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

Status check_name(std::string_view name) {
  bool right = !name.empty() && name.size() <= 255 && is_alnum(name.front());
  for (char c : name) right = right && (is_alnum(c) || c == '_' || c == '.' || c == '-');
  if (right) return {};
  return Error(Errc::invalid_argument,
               concat("name ", quote(name),
                      ": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"));
}

Status NameTable::reserve(const std::string& name, const std::string& id) const {
  return sys::symlink_at(id.c_str(), sys::DirFd::cwd(), path(name).c_str());
}

Result<std::vector<std::string>> NameTable::list() const {
  return sys::list_dir(sys::DirFd::cwd(), dir_.c_str());
}

Result<std::string> NameTable::lookup(const std::string& name) const {
  if (!check_name(name)) return Error(Errc::not_found, concat("no such name ", name));
  return sys::read_link_at(sys::DirFd::cwd(), path(name).c_str());
}

Status NameTable::release(const std::string& name, const std::string& id) const {
  auto owner = lookup(name);
  if (!owner || *owner != id) return {};
  return sys::unlink_at(sys::DirFd::cwd(), path(name).c_str());
}

}  // namespace minke::state
