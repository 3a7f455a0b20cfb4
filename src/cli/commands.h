// Every command; defined in its cmd_*.cc.
#pragma once

#include "cli/command.h"

namespace minke::cli {

extern const Command kAttachCommand;
extern const Command kCommitCommand;
extern const Command kCompletionCommand;
extern const Command kContainerCleanupCommand;
extern const Command kContainerDiffCommand;
extern const Command kContainerExistsCommand;
extern const Command kContainerInspectCommand;
extern const Command kCpCommand;
extern const Command kCreateCommand;
extern const Command kDiffCommand;
extern const Command kEventsCommand;
extern const Command kExecCommand;
extern const Command kExportCommand;
extern const Command kGenerateManCommand;
extern const Command kHistoryCommand;
extern const Command kImageDiffCommand;
extern const Command kImageExistsCommand;
extern const Command kImageInspectCommand;
extern const Command kImageMountCommand;
extern const Command kImagePruneCommand;
extern const Command kImageTreeCommand;
extern const Command kImageUnmountCommand;
extern const Command kImagesCommand;
extern const Command kImportCommand;
extern const Command kInfoCommand;
extern const Command kInspectCommand;
extern const Command kKillCommand;
extern const Command kLoadCommand;
extern const Command kLogsCommand;
extern const Command kMountCommand;
extern const Command kPauseCommand;
extern const Command kPsCommand;
extern const Command kRestartCommand;
extern const Command kRmCommand;
extern const Command kRmiCommand;
extern const Command kRunCommand;
extern const Command kSaveCommand;
extern const Command kSecretCreateCommand;
extern const Command kSecretExistsCommand;
extern const Command kSecretInspectCommand;
extern const Command kSecretLsCommand;
extern const Command kSecretRmCommand;
extern const Command kStartCommand;
extern const Command kStopCommand;
extern const Command kSystemEmptyTrashCommand;
extern const Command kTagCommand;
extern const Command kUnmountCommand;
extern const Command kUnpauseCommand;
extern const Command kUnshareCommand;
extern const Command kUntagCommand;
extern const Command kVersionCommand;
extern const Command kVolumeCreateCommand;
extern const Command kVolumeExistsCommand;
extern const Command kVolumeInspectCommand;
extern const Command kVolumeLsCommand;
extern const Command kVolumeRmCommand;
extern const Command kWaitCommand;

}  // namespace minke::cli
