// --help and the man page, from the tables of commands and options.
#include <stdio.h>

#include "base/roff.h"
#include "base/str.h"
#include "main/runtime_cli.h"

namespace minke::runtime_cli {
namespace {

using roff::escaped;

void print_options(const std::vector<OptionRow>& rows, const char* indent) {
  for (const OptionRow& o : rows)
    ::printf("%s--%s%s%s\n", indent, o.name, o.takes_value ? " VALUE  " : "  ", o.help);
}

std::string option_pages(const std::vector<OptionRow>& rows) {
  std::string out;
  for (const OptionRow& o : rows) {
    out += ".TP\n.BR ";
    if (o.letter != 0) out += concat("\\-", o.letter, " \", \" ");
    out += concat("\\-\\-", escaped(o.name), o.takes_value ? " \" \\fIVALUE\\fR\"" : "", "\n",
                  escaped(o.help), "\n");
  }
  return out;
}

constexpr const char* kDescription =
    "An OCI runtime for other engines and for people, with the commands, options and output of\n"
    "runc(8): podman(1) takes it as \\-\\-runtime, dockerd as a runtime in daemon.json.\n"
    "A container is made from a bundle: a folder with config.json and the root file system that "
    "it names\n(OCI runtime specification 1.2).\n";

constexpr const char* kRest =
    ".SH EXIT STATUS\nThat of the program for run and exec without \\-\\-detach, 255 when exec "
    "could not run it;\notherwise 0, or 1 with one line on stderr and in the file of "
    "\\-\\-log.\n.SH FILES\n.TP\n.I /run/minke\\-runtime, $XDG_RUNTIME_DIR/minke\\-runtime\n"
    "states of containers (\\-\\-root)\n.SH SEE ALSO\n.BR minke (1)\n";

}  // namespace

void print_help() {
  ::printf("usage: minke-runtime [global options] command [options] ...\n\nCommands:\n");
  for (const Command& c : commands()) {
    ::printf("  %s\n      %s\n", c.usage, c.summary);
    print_options(c.options, "      ");
  }
  ::printf("\nGlobal options:\n");
  print_options(global_options(), "  ");
}

void print_help(const Command& command) {
  ::printf("usage: minke-runtime %s\n%s\n", command.usage, command.summary);
  print_options(command.options, "  ");
}

void print_man_page() {
  std::string out = roff::head("minke-runtime", "run a container from an OCI bundle");
  out += concat(".SH SYNOPSIS\n.B minke\\-runtime\n[global options] command [options] ...\n",
                ".SH DESCRIPTION\n", kDescription, ".SH GLOBAL OPTIONS\n",
                option_pages(global_options()), ".SH COMMANDS\n");
  for (const Command& c : commands())
    out +=
        concat(".SS ", escaped(c.usage), "\n", escaped(c.summary), "\n", option_pages(c.options));
  ::printf("%s", concat(out, kRest).c_str());
}

}  // namespace minke::runtime_cli
