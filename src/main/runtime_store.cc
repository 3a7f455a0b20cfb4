#include <unistd.h>

#include "base/str.h"
#include "main/runtime_cli.h"
#include "runtime/cgroup.h"
#include "sys/process.h"

namespace minke::runtime_cli {

void bind(json::Binder& b, Record& r) {
  b.required("id", r.id);
  b.required("bundle", r.bundle);
  b.required("created", r.created);
  b("owner", r.owner);
  b("handle", r.handle);
  b("noPivot", r.no_pivot);
}

Status Store::check_id(const std::string& id) const {
  bool good = !id.empty() && id.size() <= 1024 && id != "." && id != "..";
  for (char c : id)
    good &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '+' || c == '-' || c == '.';
  if (good) return {};
  return Error(Errc::invalid_argument,
               concat("invalid container id ", quote(id), ": letters, digits, _ + - . only"));
}

std::string Store::folder(const std::string& id) const { return concat(root_, "/", id); }

Status Store::reserve(const std::string& id) const {
  TRY(check_id(id));
  std::string path = folder(id);
  if (::mkdir(path.c_str(), 0711) == 0) return {};
  if (errno == ENOENT) {
    TRY(sys::ensure_dirs(root_, 0711));
    if (::mkdir(path.c_str(), 0711) == 0) return {};
  }
  if (errno == EEXIST) return Error(Errc::already_exists, concat("container ", id, " exists"));
  return Error::from_errno(errno, concat("mkdir ", path));
}

Status Store::save(const Record& record) const {
  return sys::write_file(concat(folder(record.id), "/state.json"), json::dump_struct(record), 0600);
}

Status Store::save_config(const std::string& id, std::string_view text) const {
  sys::UniqueFd file =
      TRY(sys::open(concat(folder(id), "/config.json"), O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::write_all(file.get(), text, "config.json");
}

Result<Record> Store::load(const std::string& id) const {
  TRY(check_id(id));
  auto text = sys::read_small_file(concat(folder(id), "/state.json"));
  if (!text) {
    if (text.error().sys() == ENOENT)
      return Error(Errc::not_found, concat("container ", id, " does not exist"));
    return std::move(text.error());
  }
  return json::parse_struct<Record>(*text);
}

Result<oci::Spec> Store::load_spec(const Record& record) const {
  std::string text = TRY(sys::read_small_file(concat(folder(record.id), "/config.json")));
  return oci::parse_spec(text);
}

Status Store::remove(const std::string& id) const {
  return sys::remove_tree_at(sys::DirFd::cwd(), folder(id).c_str());
}

Result<std::vector<std::string>> Store::list() const {
  auto dir = sys::open_dir(root_);
  if (!dir) {
    if (dir.error().sys() == ENOENT) return std::vector<std::string>();
    return std::move(dir.error());
  }
  return sys::list_dir(*dir);
}

std::string Store::status(const Record& record) const {
  if (!sys::process_alive(record.handle.pid, record.handle.start_time)) return "stopped";
  if (sys::exists(concat(folder(record.id), "/start"))) return "created";
  auto cgroup = runtime::Cgroup::open(record.handle.cgroup);
  if (cgroup) {
    auto frozen = cgroup->frozen();
    if (frozen && *frozen) return "paused";
  }
  return "running";
}

}  // namespace minke::runtime_cli
