// Where each command hangs. The order is free; a path that is not here is an unknown command.
#include "cli/commands.h"

namespace minke::cli {
namespace {

constexpr const char* kPods = "pods come later";
constexpr const char* kRegistries =
    "registries come later; load, import and save work with archives";
constexpr const char* kBuild = "building images comes later";
constexpr const char* kKube = "Kubernetes YAML comes later";
constexpr const char* kUnits = "systemd units come later";

constexpr Command group(const char* summary, const char* description = nullptr) {
  return {{.summary = summary, .description = description}, {}};
}
constexpr Command kContainerGroup = group("Manage containers");
constexpr Command kImageGroup = group("Manage images");
constexpr Command kVolumeGroup =
    group("Manage volumes", "Volumes are created in and can be shared between containers");
constexpr Command kNetworkGroup = group("Manage networks");
constexpr Command kSecretGroup = group("Manage secrets");
constexpr Command kHealthcheckGroup = group("Manage health checks on containers");
constexpr Command kDebugGroup = group("Look into the engine's decisions");
constexpr Command kSystemGroup = group("Manage the engine");

constexpr TreeRow kTree[] = {
    {"container", &kContainerGroup},
    {"image", &kImageGroup},
    {"volume", &kVolumeGroup},
    {"network", &kNetworkGroup},
    {"secret", &kSecretGroup},
    {"system", &kSystemGroup},
    {"healthcheck", &kHealthcheckGroup},
    {"healthcheck run", &kHealthcheckRunCommand},
    {"system restart-container", &kSystemRestartContainerCommand, nullptr, nullptr, true},
    {"system netd", &kSystemNetdCommand, nullptr, nullptr, true},

    {"attach", &kAttachCommand},
    {"container attach", &kAttachCommand},
    {"container cleanup", &kContainerCleanupCommand},
    {"create", &kCreateCommand},
    {"container create", &kCreateCommand},
    {"events", &kEventsCommand},
    {"system events", &kEventsCommand},
    {"exec", &kExecCommand},
    {"container exec", &kExecCommand},
    {"export", &kExportCommand},
    {"container export", &kExportCommand},
    {"inspect", &kInspectCommand},
    {"container inspect", &kContainerInspectCommand},
    {"kill", &kKillCommand},
    {"container kill", &kKillCommand},
    {"logs", &kLogsCommand},
    {"container logs", &kLogsCommand},
    {"pause", &kPauseCommand},
    {"container pause", &kPauseCommand},
    {"ps", &kPsCommand},
    {"container ps", &kPsCommand},
    {"container list", &kPsCommand, "ls"},
    {"restart", &kRestartCommand},
    {"container restart", &kRestartCommand},
    {"rm", &kRmCommand},
    {"container rm", &kRmCommand},
    {"run", &kRunCommand},
    {"container run", &kRunCommand},
    {"start", &kStartCommand},
    {"container start", &kStartCommand},
    {"stop", &kStopCommand},
    {"container stop", &kStopCommand},
    {"unpause", &kUnpauseCommand},
    {"container unpause", &kUnpauseCommand},
    {"unshare", &kUnshareCommand},
    {"wait", &kWaitCommand},
    {"container wait", &kWaitCommand},
    {"system empty-trash", &kSystemEmptyTrashCommand, nullptr, nullptr, true},

    {"images", &kImagesCommand},
    {"image list", &kImagesCommand, "ls"},
    {"image exists", &kImageExistsCommand},
    {"image inspect", &kImageInspectCommand},
    {"import", &kImportCommand},
    {"image import", &kImportCommand},
    {"load", &kLoadCommand},
    {"image load", &kLoadCommand},
    {"rmi", &kRmiCommand},
    {"image rm", &kRmiCommand},
    {"save", &kSaveCommand},
    {"image save", &kSaveCommand},
    {"tag", &kTagCommand},
    {"image tag", &kTagCommand},
    {"untag", &kUntagCommand},
    {"image untag", &kUntagCommand},

    {"volume create", &kVolumeCreateCommand},
    {"volume exists", &kVolumeExistsCommand},
    {"volume export", &kVolumeExportCommand},
    {"volume import", &kVolumeImportCommand},
    {"volume inspect", &kVolumeInspectCommand},
    {"volume ls", &kVolumeLsCommand, "list"},
    {"volume mount", &kVolumeMountCommand},
    {"volume prune", &kVolumePruneCommand},
    {"volume reload", &kVolumeReloadCommand},
    {"volume rm", &kVolumeRmCommand, "remove"},
    {"volume unmount", &kVolumeUnmountCommand},

    {"network connect", &kNetworkConnectCommand},
    {"network create", &kNetworkCreateCommand},
    {"network disconnect", &kNetworkDisconnectCommand},
    {"network exists", &kNetworkExistsCommand},
    {"network inspect", &kNetworkInspectCommand},
    {"network ls", &kNetworkLsCommand, "list"},
    {"network prune", &kNetworkPruneCommand},
    {"network reload", &kNetworkReloadCommand},
    {"network rm", &kNetworkRmCommand, "remove"},
    {"network update", &kNetworkUpdateCommand},

    {"secret create", &kSecretCreateCommand},
    {"secret exists", &kSecretExistsCommand},
    {"secret inspect", &kSecretInspectCommand},
    {"secret ls", &kSecretLsCommand, "list"},
    {"secret rm", &kSecretRmCommand},

    {"container exists", &kContainerExistsCommand},
    {"container clone", &kContainerCloneCommand},
    {"init", &kInitCommand},
    {"container init", &kInitCommand},
    {"port", &kPortCommand},
    {"container port", &kPortCommand},
    {"container prune", &kContainerPruneCommand},
    {"rename", &kRenameCommand},
    {"container rename", &kRenameCommand},
    {"stats", &kStatsCommand},
    {"container stats", &kStatsCommand},
    {"top", &kTopCommand},
    {"container top", &kTopCommand},
    {"update", &kUpdateCommand},
    {"container update", &kUpdateCommand},
    {"info", &kInfoCommand},
    {"system check", &kSystemCheckCommand},
    {"system df", &kSystemDfCommand},
    {"system migrate", &kSystemMigrateCommand},
    {"system prune", &kSystemPruneCommand},
    {"system renumber", &kSystemRenumberCommand},
    {"system reset", &kSystemResetCommand},
    {"doctor", &kDoctorCommand},
    {"debug", &kDebugGroup},
    {"debug plan", &kDebugPlanCommand},
    {"system info", &kInfoCommand},
    {"version", &kVersionCommand},
    {"completion", &kCompletionCommand},
    {"generate-man", &kGenerateManCommand, nullptr, nullptr, true},

    {"artifact", nullptr, nullptr, kRegistries},
    {"auto-update", nullptr, nullptr, kRegistries},
    {"build", nullptr, nullptr, kBuild},
    {"buildx", nullptr, nullptr, kBuild},
    {"compose", nullptr, nullptr, "compose comes later"},
    {"generate", nullptr, nullptr, kUnits},
    {"kube", nullptr, nullptr, kKube},
    {"login", nullptr, nullptr, kRegistries},
    {"logout", nullptr, nullptr, kRegistries},
    {"machine", nullptr, nullptr,
     "there is no virtual machine to manage: containers run on this host"},
    {"manifest", nullptr, nullptr, kRegistries},
    {"play", nullptr, nullptr, kKube},
    {"pod", nullptr, nullptr, kPods},
    {"pull", nullptr, nullptr, kRegistries},
    {"push", nullptr, nullptr, kRegistries},
    {"quadlet", nullptr, nullptr, kUnits},
    {"search", nullptr, nullptr, kRegistries},
    {"container checkpoint", nullptr, nullptr, "checkpoints come later"},
    {"container commit", &kCommitCommand},
    {"container cp", &kCpCommand},
    {"container diff", &kContainerDiffCommand},
    {"container mount", &kMountCommand},
    {"container unmount", &kUnmountCommand, "umount"},
    {"container restore", nullptr, nullptr, "checkpoints come later"},
    {"container runlabel", nullptr, nullptr, kRegistries},
    {"commit", &kCommitCommand},
    {"cp", &kCpCommand},
    {"diff", &kDiffCommand},
    {"mount", &kMountCommand},
    {"unmount", &kUnmountCommand, "umount"},
    {"history", &kHistoryCommand},
    {"image build", nullptr, nullptr, kBuild},
    {"image diff", &kImageDiffCommand},
    {"image history", &kHistoryCommand},
    {"image mount", &kImageMountCommand},
    {"image prune", &kImagePruneCommand},
    {"image pull", nullptr, nullptr, kRegistries},
    {"image push", nullptr, nullptr, kRegistries},
    {"image scp", nullptr, nullptr, kRegistries},
    {"image search", nullptr, nullptr, kRegistries},
    {"image sign", nullptr, nullptr, kRegistries},
    {"image tree", &kImageTreeCommand},
    {"image trust", nullptr, nullptr, kRegistries},
    {"image unmount", &kImageUnmountCommand, "umount"},
    {"system connection", nullptr, nullptr, "this engine has no client mode"},
    {"system dial-stdio", nullptr, nullptr, "the API service comes later", true},
    {"system locks", nullptr, nullptr, "locks are files here: see lslocks(8)", true},
    {"system service", nullptr, nullptr, "the API service comes later"},
};

}  // namespace

std::span<const TreeRow> command_tree() { return kTree; }

}  // namespace minke::cli
