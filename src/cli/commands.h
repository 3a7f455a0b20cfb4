// Every command; defined in its cmd_*.cc.
#pragma once

#include "cli/command.h"

namespace minke::cli {

extern const Command kCompletionCommand;
extern const Command kContainerExistsCommand;
extern const Command kGenerateManCommand;
extern const Command kImageExistsCommand;
extern const Command kImageInspectCommand;
extern const Command kImagesCommand;
extern const Command kImportCommand;
extern const Command kInfoCommand;
extern const Command kLoadCommand;
extern const Command kRmiCommand;
extern const Command kSaveCommand;
extern const Command kTagCommand;
extern const Command kUntagCommand;
extern const Command kVersionCommand;
extern const Command kVolumeCreateCommand;
extern const Command kVolumeExistsCommand;
extern const Command kVolumeInspectCommand;
extern const Command kVolumeLsCommand;
extern const Command kVolumeRmCommand;

}  // namespace minke::cli
