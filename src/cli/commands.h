// Every command; defined in its cmd_*.cc.
#pragma once

#include "cli/command.h"

namespace minke::cli {

extern const Command kCompletionCommand;
extern const Command kGenerateManCommand;
extern const Command kVersionCommand;

}  // namespace minke::cli
