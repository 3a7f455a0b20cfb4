// Help in cobra's form, and man pages, from the tables.
#include <algorithm>

#include "base/roff.h"
#include "base/str.h"
#include "cli/command.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

struct Options {
  explicit Options(const Command& command)
      : command_(command),
        object_(command.make_options != nullptr ? command.make_options() : nullptr) {
    for (const OptionTable& table : command.tables) tables.push_back({table, object_});
  }
  ~Options() {
    if (object_ != nullptr) command_.free_options(object_);
  }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  std::vector<BoundTable> tables;

 private:
  const Command& command_;
  void* object_;
};

std::string command_list(std::string_view path) {
  std::vector<const TreeRow*> rows = children_of(path);
  std::erase_if(rows, [](const TreeRow* row) { return row->hidden || row->command == nullptr; });
  std::size_t width = 11;
  for (const TreeRow* row : rows) width = std::max(width, last_word(row->path).size());
  std::string out = "\nAvailable Commands:\n";
  for (const TreeRow* row : rows) {
    std::string_view name = last_word(row->path);
    out += concat("  ", name, std::string(width - name.size() + 1, ' '), row->command->text.summary,
                  "\n");
  }
  return out;
}

std::string indented(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty()) out += "  ";
    out += line;
    out += '\n';
  }
  return out;
}

std::vector<std::string> example_lines(std::string_view program, const TreeRow& row) {
  std::vector<std::string> lines;
  if (row.command->text.examples != nullptr)
    for (std::string_view line : split(row.command->text.examples, '\n'))
      lines.push_back(concat(program, " ", row.path, line.empty() ? "" : " ", line));
  return lines;
}

std::string usage_of(std::string_view program, const TreeRow& row) {
  if (row.command->run == nullptr) return concat(program, " ", row.path, " [command]");
  std::string_view rest = row.command->text.usage;
  return concat(program, " ", row.path, rest.empty() ? "" : " ", rest);
}

const char* description_of(const Command& command) {
  return command.text.description != nullptr ? command.text.description : command.text.summary;
}

std::string alias_list(const TreeRow& row) {
  std::string out(last_word(row.path));
  for (std::string_view alias : split(row.aliases, ',')) out += concat(", ", alias);
  return out;
}

}  // namespace

std::string help_text(std::string_view program, const TreeRow& row) {
  const Command& command = *row.command;
  std::string out =
      concat(command.text.summary, "\n\nDescription:\n", indented(description_of(command)),
             "\nUsage:\n  ", usage_of(program, row), "\n");
  if (row.aliases != nullptr) out += concat("\nAliases:\n  ", alias_list(row), "\n");
  if (command.text.examples != nullptr) {
    out += "\nExamples:\n";
    for (const std::string& line : example_lines(program, row)) out += concat("  ", line, "\n");
  }
  if (command.run == nullptr) {
    out += command_list(row.path);
  } else if (!command.tables.empty()) {
    Options options(command);
    out += concat("\nOptions:\n", option_usages(options.tables));
  }
  return out + "\n";
}

std::string root_help(std::string_view program) {
  GlobalOptions defaults;
  const BoundTable tables[] = {{global_option_table(), &defaults},
                               {root_option_table(), &defaults}};
  return concat("Manage containers and images\n\nUsage:\n  ", program, " [options] [command]\n",
                command_list(""), "\nOptions:\n", option_usages(tables));
}

// ---- man pages ----

namespace {

using roff::escaped;

constexpr std::string_view kManProgram = "minke";

std::string page_name(std::string_view path) {
  std::string name = path.empty() ? std::string(kManProgram) : concat(kManProgram, "-", path);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

void man_options(std::span<const BoundTable> tables, std::string& out) {
  struct Entry {
    std::string_view name;
    std::string text;
  };
  std::vector<Entry> entries;
  std::string refused_names;
  for (const BoundTable& bound : tables) {
    for (std::size_t i = 0; i < bound.table.count; ++i) {
      const OptionInfo& row = bound.table.row(i);
      if (row.refused()) {
        refused_names += concat(".TP\n.B \\-\\-", escaped(row.name), "\n", escaped(row.help), "\n");
        continue;
      }
      if (row.extra.hidden) continue;
      OptionText text = option_text(row);
      std::string head = concat(".TP\n.BR ");
      if (row.shorthand != 0) head += concat("\\-", row.shorthand, " \", \" ");
      head += concat("\\-\\-", escaped(row.name));
      if (!text.value_name.empty()) head += concat(" \" \\fI", escaped(text.value_name), "\\fR\"");
      head += concat("\n", escaped(text.help));
      if (std::string shown = option_default(row, bound.table.field(row, bound.options));
          !shown.empty())
        head += concat(" (default ", escaped(shown), ")");
      entries.push_back({row.name, head + "\n"});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  if (!entries.empty()) out += ".SH OPTIONS\n";
  for (const Entry& entry : entries) out += entry.text;
  if (!refused_names.empty())
    out += concat(".SH OPTIONS NOT SUPPORTED\nThese are refused by name.\n", refused_names);
}

std::string man_head(std::string_view path, std::string_view summary) {
  return roff::head(page_name(path), summary);
}

void man_children(std::string_view path, std::string& out) {
  out += ".SH COMMANDS\n";
  for (const TreeRow* row : children_of(path))
    if (!row->hidden && row->command != nullptr)
      out += concat(".TP\n.BR ", escaped(page_name(row->path)), " (1)\n",
                    escaped(row->command->text.summary), "\n");
}

std::string man_page(const TreeRow& row) {
  const Command& command = *row.command;
  std::string out = man_head(row.path, command.text.summary);
  out += concat(".SH SYNOPSIS\n.B ", escaped(usage_of(kManProgram, row)), "\n.SH DESCRIPTION\n",
                escaped(description_of(command)), "\n");
  if (row.aliases != nullptr) out += concat("Other names: ", escaped(alias_list(row)), ".\n");
  Options options(command);
  man_options(options.tables, out);
  if (command.run == nullptr) man_children(row.path, out);
  if (command.text.examples != nullptr) {
    out += ".SH EXAMPLES\n.nf\n";
    for (const std::string& line : example_lines(kManProgram, row))
      out += concat(escaped(line), "\n");
    out += ".fi\n";
  }
  return out + ".SH SEE ALSO\n.BR minke (1)\n";
}

std::string root_page() {
  GlobalOptions defaults;
  const BoundTable tables[] = {{global_option_table(), &defaults},
                               {root_option_table(), &defaults}};
  std::string out = man_head("", "manage containers and images");
  out +=
      ".SH SYNOPSIS\n.B minke\n[options] command\n.SH DESCRIPTION\nRuns containers without a "
      "daemon, as root or as an "
      "ordinary user. Commands, options and output are those of podman(1).\n";
  man_children("", out);
  man_options(tables, out);
  return out +
         ".SH EXIT STATUS\n.TP\n.B 125\nthe engine itself failed\n.TP\n.B 126\nthe container's "
         "command cannot be "
         "run\n.TP\n.B 127\nthe container's command is not there\n.TP\n.B 128+n\nit was ended by "
         "signal n\n"
         ".SH ENVIRONMENT\n.TP\n.B CONTAINERS_CONF\nstands for all containers.conf files\n"
         ".TP\n.B CONTAINERS_CONF_OVERRIDE\na file that is read last\n"
         ".TP\n.B CONTAINERS_STORAGE_CONF\nstands for storage.conf\n"
         ".TP\n.B XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR\nwhere an ordinary user's files "
         "lie\n"
         ".SH FILES\n.TP\n.I /var/lib/minke, ~/.local/share/minke\nimages, containers, volumes\n"
         ".TP\n.I /run/minke, $XDG_RUNTIME_DIR/minke\nwhat lives until the next boot\n"
         ".TP\n.I /usr/share/containers, /etc/containers, ~/.config/containers\ncontainers.conf "
         "and "
         "its drop\\-ins: defaults for containers\n";
}

}  // namespace

Status write_man_pages(const std::string& folder) {
  TRY(sys::ensure_dirs(folder, 0755));
  TRY(sys::write_file(concat(folder, "/minke.1"), root_page(), 0644));
  for (const TreeRow& row : command_tree())
    if (row.command != nullptr && !row.hidden)
      TRY(sys::write_file(concat(folder, "/", page_name(row.path), ".1"), man_page(row), 0644));
  return {};
}

}  // namespace minke::cli
