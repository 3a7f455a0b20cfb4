// Every command; defined in its cmd_*.cc.
#pragma once

#include "cli/command.h"

namespace minke::cli {

extern const Command kAttachCommand;
extern const Command kCompletionCommand;
extern const Command kContainerCleanupCommand;
extern const Command kContainerCloneCommand;
extern const Command kContainerExistsCommand;
extern const Command kContainerInspectCommand;
extern const Command kContainerPruneCommand;
extern const Command kCreateCommand;
extern const Command kEventsCommand;
extern const Command kExecCommand;
extern const Command kExportCommand;
extern const Command kGenerateManCommand;
extern const Command kImageExistsCommand;
extern const Command kImageInspectCommand;
extern const Command kImagesCommand;
extern const Command kImportCommand;
extern const Command kInfoCommand;
extern const Command kInitCommand;
extern const Command kInspectCommand;
extern const Command kKillCommand;
extern const Command kLoadCommand;
extern const Command kLogsCommand;
extern const Command kPauseCommand;
extern const Command kPortCommand;
extern const Command kPsCommand;
extern const Command kRenameCommand;
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
extern const Command kStatsCommand;
extern const Command kStopCommand;
extern const Command kDebugPlanCommand;
extern const Command kDoctorCommand;
extern const Command kSystemCheckCommand;
extern const Command kSystemDfCommand;
extern const Command kSystemEmptyTrashCommand;
extern const Command kSystemMigrateCommand;
extern const Command kSystemPruneCommand;
extern const Command kSystemRenumberCommand;
extern const Command kSystemResetCommand;
extern const Command kTagCommand;
extern const Command kTopCommand;
extern const Command kUnpauseCommand;
extern const Command kUnshareCommand;
extern const Command kUntagCommand;
extern const Command kUpdateCommand;
extern const Command kVersionCommand;
extern const Command kVolumeCreateCommand;
extern const Command kVolumeExistsCommand;
extern const Command kVolumeExportCommand;
extern const Command kVolumeImportCommand;
extern const Command kVolumeInspectCommand;
extern const Command kVolumeLsCommand;
extern const Command kVolumeMountCommand;
extern const Command kVolumePruneCommand;
extern const Command kVolumeReloadCommand;
extern const Command kVolumeRmCommand;
extern const Command kVolumeUnmountCommand;
extern const Command kWaitCommand;

}  // namespace minke::cli
