#include "cli/complete.h"

#include <algorithm>

#include "base/str.h"
#include "cli/command.h"
#include "cli/complete_names.h"

namespace minke::cli {
namespace {

// What an argument is, by its name in the usage line.
struct ArgName {
  std::string_view name;
  NameKind kind;
};
constexpr ArgName kArgNames[] = {
    {"CONTAINER|IMAGE|VOLUME|NETWORK", NameKind::object},
    {"CONTAINER", NameKind::container},
    {"IMAGE", NameKind::image},
    {"VOLUME", NameKind::volume},
    {"NETWORK", NameKind::network},
    {"SECRET", NameKind::secret},
    {"NAME", NameKind::nothing},
    {"TARGET_NAME", NameKind::image},
    {"REFERENCE", NameKind::image},
};

// "[options] CONTAINER [CONTAINER...]": the kind of the argument at `position`; one that ends in
// "..." stands for all behind it too. What is no name of ours may be a file.
NameKind arg_kind(const Command& command, std::size_t position) {
  std::vector<std::string_view> names;
  bool repeats = false;
  for (std::string_view word : split(command.text.usage, ' ')) {
    if (word.empty() || word == "[options]") continue;
    repeats = word.find("...") != std::string_view::npos;
    while (!word.empty() && std::string_view("[{(").find(word[0]) != std::string_view::npos)
      word.remove_prefix(1);
    word = word.substr(0, word.find_first_of("]}):."));
    if (!word.empty()) names.push_back(word);
  }
  if (names.empty()) return NameKind::nothing;
  if (position >= names.size() && !repeats) return NameKind::nothing;
  std::string_view name = names[std::min(position, names.size() - 1)];
  for (const ArgName& row : kArgNames)
    if (row.name == name) return row.kind;
  return NameKind::file;
}

// What the value of an option is: some words, or names of a kind; all else may be a file. The same
// name means the same in every command, but where `command` says otherwise.
struct OptionValues {
  std::string_view option;
  std::string_view words;  // by comma
  NameKind kind = NameKind::nothing;
  std::string_view command = "";
};
constexpr OptionValues kOptionValues[] = {
    {"attach", "stdin,stdout,stderr"},
    {"cgroup-manager", "cgroupfs,systemd"},
    {"cgroupns", "host,private,container:,ns:"},
    {"cgroups", "enabled,disabled,no-conmon,split"},
    {"condition", "configured,created,running,stopped,paused,exited,removing,stopping"},
    {"driver", "local,image", NameKind::nothing, "volume create"},
    {"driver", "file,pass,shell", NameKind::nothing, "secret create"},
    {"driver", "bridge,macvlan,ipvlan", NameKind::nothing, "network create"},
    {"events-backend", "file,journald,none"},
    {"format", "docker-archive,docker-dir,oci-archive,oci-dir", NameKind::nothing, "save"},
    {"format", "oci,docker", NameKind::nothing, "commit"},
    {"format", "json"},
    {"health-on-failure", "none,kill,restart,stop"},
    {"image-volume", "bind,tmpfs,ignore"},
    {"init-ctr", "once,always"},
    {"ipam-driver", "host-local,none"},
    {"ipc", "host,private,shareable,none,container:,ns:"},
    {"log-driver", "json-file,k8s-file,journald,none,passthrough,passthrough-tty"},
    {"log-level", "trace,debug,info,warn,warning,error,fatal,panic"},
    {"log-opt", "path=,max-size=,max-file=,tag="},
    {"mount", "type=bind,type=volume,type=tmpfs,type=image,type=devpts"},
    {"network", "bridge,none,host,private,container:,ns:", NameKind::network},
    {"pid", "host,private,container:,ns:"},
    {"pull", "always,missing,never,newer"},
    {"requires", "", NameKind::container},
    {"restart", "no,on-failure,always,unless-stopped"},
    {"sdnotify", "container,conmon,healthy,ignore"},
    {"seccomp-policy", "default,image"},
    {"secret", "", NameKind::secret},
    {"security-opt",
     "no-new-privileges,seccomp=,apparmor=,label=,mask=,unmask=,proc-opts=,systempaths=unconfined"},
    {"sort", "command,created,id,image,names,runningfor,size,status", NameKind::nothing, "ps"},
    {"sort", "created,id,repository,size,tag", NameKind::nothing, "images"},
    {"stop-signal", "HUP,INT,KILL,QUIT,TERM,USR1,USR2,WINCH,RTMIN+3"},
    {"signal", "HUP,INT,KILL,QUIT,TERM,USR1,USR2,WINCH"},
    {"storage-driver", "overlay"},
    {"systemd", "true,false,always"},
    {"type", "container,image,volume,network,all"},
    {"userns", "auto,host,keep-id,nomap,container:,ns:"},
    {"uts", "host,private,container:,ns:"},
    {"volume", "", NameKind::volume},
    {"volumes-from", "", NameKind::container},
};

const OptionValues* option_values(std::string_view option, std::string_view path) {
  std::string_view command = path;
  for (std::string_view group : {"container ", "image "})
    if (path.starts_with(group)) command = path.substr(group.size());
  for (const OptionValues& row : kOptionValues)
    if (row.option == option && (row.command.empty() || row.command == command)) return &row;
  return nullptr;
}

const TreeRow* child(std::string_view parent, std::string_view word) {
  for (const TreeRow* row : children_of(parent)) {
    if (row->command == nullptr) continue;
    if (last_word(row->path) == word) return row;
    if (row->aliases != nullptr)
      for (std::string_view alias : split(row->aliases, ','))
        if (alias == word) return row;
  }
  return nullptr;
}

// The words before the one that is asked for, read as the command line would.
class Reader {
 public:
  void read(const std::string& word) {
    if (waiting_ != nullptr) {
      take_value(*waiting_, word);
      waiting_ = nullptr;
    } else if (options_ended_) {
      ++positional_;
    } else if (word == "--") {
      options_ended_ = true;
    } else if (word.starts_with('-') && word.size() > 1) {
      read_option(word);
    } else if (!is_leaf()) {
      row_ = child(path_, word);
      if (row_ == nullptr) lost_ = true;
      if (row_ != nullptr) path_ = row_->path;
    } else {
      ++positional_;
      options_ended_ = !row_->command->text.interspersed;
    }
  }

  std::string candidates(const std::string& last) const {
    if (lost_) return "";
    if (waiting_ != nullptr) return values(*waiting_, last, "");
    if (!options_ended_ && last.starts_with('-')) {
      std::size_t equals = last.find('=');
      if (equals == std::string::npos) return options(last);
      const OptionInfo* option = find(std::string_view(last).substr(0, equals));
      if (option == nullptr) return "";
      return values(*option, last.substr(equals + 1), last.substr(0, equals + 1));
    }
    if (!is_leaf()) return commands(last);
    NameKind kind = arg_kind(*row_->command, positional_);
    return kind == NameKind::file ? ":files\n" : complete_names(kind, last, global_);
  }

 private:
  bool is_leaf() const { return row_ != nullptr && row_->command->run != nullptr; }

  std::vector<OptionTable> tables() const {
    std::vector<OptionTable> all;
    if (row_ == nullptr)
      all = {global_option_table(), root_option_table()};
    else
      all.assign(row_->command->tables.begin(), row_->command->tables.end());
    return all;
  }

  // The tables where an option is looked up: the global ones hold behind the command's name too.
  const OptionInfo* find(std::string_view word) const {
    std::vector<OptionTable> all = tables();
    if (row_ != nullptr && word.starts_with("--")) all.push_back(global_option_table());
    for (const OptionTable& table : all)
      for (std::size_t i = 0; i < table.count; ++i) {
        const OptionInfo& row = table.row(i);
        if (word.starts_with("--") ? word.substr(2) == row.name : word.back() == row.shorthand)
          return &row;
      }
    return nullptr;
  }

  void read_option(std::string_view word) {
    auto parts = split_once(word, '=');
    const OptionInfo* option = find(parts ? parts->first : word);
    if (option == nullptr) return;
    if (parts)
      take_value(*option, parts->second);
    else if (option->extra.no_value == nullptr && (option->refused() || !option->type->boolean))
      waiting_ = option;
  }

  // --root and its like say where the names are.
  void take_value(const OptionInfo& option, std::string_view value) {
    OptionTable table = global_option_table();
    for (std::size_t i = 0; i < table.count; ++i) {
      const OptionInfo& row = table.row(i);
      if (&row != &option || row.refused()) continue;
      ignore(row.type->set(table.field(row, &global_), value, row.extra.csv, true),
             "a bad value completes like none");
    }
  }

  // Each with `before` in front of it: the word that is asked for is the whole "--option=value".
  std::string values(const OptionInfo& option, std::string_view typed,
                     std::string_view before) const {
    const OptionValues* known = option_values(option.name, path_);
    if (known == nullptr) return ":files\n";
    std::string out;
    for (std::string_view word : split(known->words, ','))
      if (!word.empty() && word.starts_with(typed) && word != typed)
        out += concat(before, word, "\n");
    if (auto colon = typed.find(':'); colon != std::string_view::npos) {
      std::string head(typed.substr(0, colon + 1));
      if (head == "container:")
        out += prefixed(complete_names(NameKind::container, typed.substr(colon + 1), global_),
                        concat(before, head));
    } else if (known->kind != NameKind::nothing) {
      out += prefixed(complete_names(known->kind, typed, global_), before);
    }
    // A source of -v may be a folder as well, and "ns:" wants a path.
    if (known->kind == NameKind::volume || typed.find('/') != std::string_view::npos)
      out += ":files\n";
    return out;
  }

  static std::string prefixed(std::string_view lines, std::string_view before) {
    std::string out;
    for (std::string_view line : split(lines, '\n'))
      if (!line.empty()) out += concat(before, line, "\n");
    return out;
  }

  std::string options(std::string_view prefix) const {
    std::string out;
    for (const OptionTable& table : tables())
      for (std::size_t i = 0; i < table.count; ++i) {
        const OptionInfo& row = table.row(i);
        std::string name = concat("--", row.name);
        if (row.refused() || row.extra.hidden || !name.starts_with(prefix)) continue;
        std::string help = option_text(row).help;
        out += concat(name, "\t", help.substr(0, help.find('\n')), "\n");
      }
    return out;
  }

  std::string commands(std::string_view prefix) const {
    std::string out;
    for (const TreeRow* next : children_of(path_)) {
      std::string_view name = last_word(next->path);
      if (next->hidden || next->command == nullptr || !name.starts_with(prefix)) continue;
      out += concat(name, "\t", next->command->text.summary, "\n");
    }
    return out;
  }

  std::string path_;
  const TreeRow* row_ = nullptr;
  const OptionInfo* waiting_ = nullptr;  // its value is the next word
  bool options_ended_ = false;
  bool lost_ = false;  // behind a command that is not known
  std::size_t positional_ = 0;
  GlobalOptions global_;
};

}  // namespace

std::string complete_words(std::span<const std::string> words) {
  if (words.empty()) return "";
  Reader reader;
  for (const std::string& word : words.first(words.size() - 1)) reader.read(word);
  return reader.candidates(words.back());
}

std::string without_hints(std::string_view candidates) {
  std::string out;
  for (std::string_view line : split(candidates, '\n'))
    if (!line.empty()) out += concat(line.substr(0, line.find('\t')), "\n");
  return out;
}

}  // namespace minke::cli
