#include "cli/complete.h"

#include <algorithm>

#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/complete_names.h"

namespace minke::cli {
namespace {

// What the arguments of a command are.
struct ArgKinds {
  const Command* command;
  NameKind first;
  NameKind rest;
};
constexpr ArgKinds kArgKinds[] = {
    {&kAttachCommand, NameKind::container, NameKind::nothing},
    {&kContainerExistsCommand, NameKind::container, NameKind::nothing},
    {&kContainerInspectCommand, NameKind::container, NameKind::container},
    {&kCreateCommand, NameKind::image, NameKind::file},
    {&kExecCommand, NameKind::container, NameKind::file},
    {&kExportCommand, NameKind::container, NameKind::nothing},
    {&kImageExistsCommand, NameKind::image, NameKind::nothing},
    {&kImageInspectCommand, NameKind::image, NameKind::image},
    {&kImagesCommand, NameKind::image, NameKind::nothing},
    {&kInfoCommand, NameKind::nothing, NameKind::nothing},
    {&kInspectCommand, NameKind::object, NameKind::object},
    {&kKillCommand, NameKind::container, NameKind::container},
    {&kLoadCommand, NameKind::nothing, NameKind::nothing},
    {&kLogsCommand, NameKind::container, NameKind::container},
    {&kPauseCommand, NameKind::container, NameKind::container},
    {&kPsCommand, NameKind::nothing, NameKind::nothing},
    {&kRestartCommand, NameKind::container, NameKind::container},
    {&kRmCommand, NameKind::container, NameKind::container},
    {&kRmiCommand, NameKind::image, NameKind::image},
    {&kRunCommand, NameKind::image, NameKind::file},
    {&kSaveCommand, NameKind::image, NameKind::image},
    {&kSecretCreateCommand, NameKind::nothing, NameKind::file},
    {&kSecretExistsCommand, NameKind::secret, NameKind::nothing},
    {&kSecretInspectCommand, NameKind::secret, NameKind::secret},
    {&kSecretLsCommand, NameKind::nothing, NameKind::nothing},
    {&kSecretRmCommand, NameKind::secret, NameKind::secret},
    {&kStartCommand, NameKind::container, NameKind::container},
    {&kStopCommand, NameKind::container, NameKind::container},
    {&kSystemCheckCommand, NameKind::nothing, NameKind::nothing},
    {&kSystemDfCommand, NameKind::nothing, NameKind::nothing},
    {&kSystemPruneCommand, NameKind::nothing, NameKind::nothing},
    {&kSystemResetCommand, NameKind::nothing, NameKind::nothing},
    {&kDoctorCommand, NameKind::nothing, NameKind::nothing},
    {&kDebugPlanCommand, NameKind::image, NameKind::file},
    {&kTagCommand, NameKind::image, NameKind::image},
    {&kUnpauseCommand, NameKind::container, NameKind::container},
    {&kUntagCommand, NameKind::image, NameKind::image},
    {&kVersionCommand, NameKind::nothing, NameKind::nothing},
    {&kVolumeCreateCommand, NameKind::nothing, NameKind::nothing},
    {&kVolumeExistsCommand, NameKind::volume, NameKind::nothing},
    {&kVolumeExportCommand, NameKind::volume, NameKind::nothing},
    {&kVolumeImportCommand, NameKind::volume, NameKind::file},
    {&kVolumeInspectCommand, NameKind::volume, NameKind::volume},
    {&kVolumeLsCommand, NameKind::nothing, NameKind::nothing},
    {&kVolumeMountCommand, NameKind::volume, NameKind::nothing},
    {&kVolumePruneCommand, NameKind::nothing, NameKind::nothing},
    {&kVolumeReloadCommand, NameKind::nothing, NameKind::nothing},
    {&kVolumeUnmountCommand, NameKind::volume, NameKind::nothing},
    {&kVolumeRmCommand, NameKind::volume, NameKind::volume},
    {&kWaitCommand, NameKind::container, NameKind::container},
};

NameKind arg_kind(const Command* command, std::size_t position) {
  for (const ArgKinds& row : kArgKinds)
    if (row.command == command) return position == 0 ? row.first : row.rest;
  return NameKind::file;
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
    if (waiting_ != nullptr) return ":files\n";
    if (!options_ended_ && last.starts_with('-'))
      return last.find('=') == std::string::npos ? options(last) : ":files\n";
    if (!is_leaf()) return commands(last);
    NameKind kind = arg_kind(row_->command, positional_);
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
