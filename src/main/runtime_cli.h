// minke-runtime: the OCI runtime's command line, with runc's options and outputs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace minke::runtime_cli {

struct Global {
  std::string root;  // where containers' states lie
  std::string log, log_format = "text";
  std::string cgroup_manager = "cgroupfs";  // systemd, disabled
  bool debug = false;
};

// Words of a command line after the command's name.
struct Arguments {
  std::map<std::string, std::vector<std::string>> values;  // by long name
  std::set<std::string> off;                               // given as --name=false
  std::vector<std::string> words;

  bool has(const std::string& name) const { return values.count(name) != 0; }
  std::string get(const std::string& name, std::string other = "") const {
    auto it = values.find(name);
    if (it != values.end()) return it->second.back();
    return other;
  }
};
struct OptionRow {
  const char* name;  // long
  char letter;       // or 0
  bool takes_value;
  const char* help;
};
// Options end at "--", and at the first word when `stop_at_word` (what follows is a program's own).
Result<Arguments> parse_arguments(const std::vector<std::string>& argv,
                                  const std::vector<OptionRow>& options, int stop_after_words);

struct Command {
  const char* name;
  const char* usage;
  const char* summary;
  std::vector<OptionRow> options;
  int stop_after_words;  // -1: options anywhere
  Result<int> (*run)(const Global& global, const Arguments& args);
};
const std::vector<Command>& commands();
const std::vector<OptionRow>& global_options();

// On stdout: all commands, one of them, and minke-runtime(1) in the markup of man(7).
void print_help();
void print_help(const Command& command);
void print_man_page();

// What is kept of a container: ROOT/ID/state.json, config.json as it was at create, `start` while
// it waits.
struct Record {
  std::string id, bundle, created, owner;
  runtime::ContainerHandle handle;
  bool no_pivot = false;
};
void bind(json::Binder& b, Record& r);

class Store {
 public:
  explicit Store(std::string root) : root_(std::move(root)) {}
  Status check_id(const std::string& id) const;
  std::string folder(const std::string& id) const;
  // Makes the folder; already_exists when there is such a container.
  Status reserve(const std::string& id) const;
  Status save(const Record& record) const;
  Result<Record> load(const std::string& id) const;
  Result<oci::Spec> load_spec(const Record& record) const;
  Status save_config(const std::string& id, std::string_view text) const;
  Status remove(const std::string& id) const;
  Result<std::vector<std::string>> list() const;
  // created, running, paused, stopped
  std::string status(const Record& record) const;

 private:
  std::string root_;
};

// runtime_run.cc
Result<int> run_create(const Global& g, const Arguments& a);
Result<int> run_run(const Global& g, const Arguments& a);
Result<int> run_start(const Global& g, const Arguments& a);
Result<int> run_exec(const Global& g, const Arguments& a);
Status delete_container(const Store& store, const Record& record);
void print_warnings(const std::vector<std::string>& warnings);
// runtime_manage.cc
Result<int> run_state(const Global& g, const Arguments& a);
Result<int> run_kill(const Global& g, const Arguments& a);
Result<int> run_delete(const Global& g, const Arguments& a);
Result<int> run_list(const Global& g, const Arguments& a);
Result<int> run_ps(const Global& g, const Arguments& a);
Result<int> run_pause(const Global& g, const Arguments& a);
Result<int> run_resume(const Global& g, const Arguments& a);
Result<int> run_update(const Global& g, const Arguments& a);
// runtime_events.cc
Result<int> run_events(const Global& g, const Arguments& a);
// runtime_info.cc
Result<int> run_spec(const Global& g, const Arguments& a);
Result<int> run_features(const Global& g, const Arguments& a);
// runtime_tty.cc: gives the master of the console socket's pty to our own terminal until the
// process ends, handing signals on; without `socket` only the signals. The exit code of the
// process.
Result<int> wait_in_foreground(pid_t pid, int pidfd, sys::UniqueFd master);
Result<sys::UniqueFd> receive_master(int socket);

}  // namespace minke::runtime_cli
