// What a container is: ROOT/containers/ID/config.json. Never changed after create but as a whole.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/request.h"
#include "monitor/plan.h"
#include "oci/image.h"
#include "oci/spec.h"

namespace minke::engine {

// One mount as it was decided; inspect shows these.
struct ResolvedMount {
  std::string type;                  // bind volume tmpfs (user's), or a file system type
  std::string volume_name;           // of a volume
  std::string source, destination;   // source of a volume: its _data folder
  std::vector<std::string> options;  // mount options, without z, Z, U, copy, nocopy
  bool read_write = true;
  std::string propagation;  // rprivate ...
  bool anonymous = false;   // removed with the container (-v of rm)
  bool copy_up = false;     // fill an empty volume from the image at first use
  bool chown = false;       // U
  std::string relabel;      // z Z
  bool idmap = false;
  std::vector<oci::IdMapping> idmap_uids, idmap_gids;  // of its own; empty: the container's
  std::map<std::string, std::string> volume_options;   // a volume that is missing is made with them
  std::string fs_type, device;  // a volume that is a file system of its own: mounted inside
  std::string subpath;          // below `source`, resolved inside of it when it is mounted
  bool overlay = false;         // O: changes go to `upper`, or are lost with the run
  std::string upper, work;
  std::string image_id;            // type image: `source` is its name
  std::vector<std::string> lower;  // and these its layers, topmost first
};

// A secret as the container has it; never its content.
struct ContainerSecret {
  std::string id, name;
  bool env = false;    // an environment variable; else a file
  std::string target;  // the variable; the file, below /run/secrets unless absolute
  std::uint32_t uid = 0, gid = 0, mode = 0444;
};

struct ContainerConfig {
  std::string id, name;
  TimeNs created = 0;
  std::string image_id, image_name, image_digest;  // empty with rootfs
  std::string rootfs;                              // --rootfs: the path
  std::vector<std::string> lower;                  // layer folders, topmost first
  CreateRequest request;                           // as it was asked for

  // Resolved from request, image and defaults
  std::vector<std::string> entrypoint, command;  // what runs is one after the other
  std::vector<std::string> env;
  std::map<std::string, std::string> labels, annotations;
  std::string user, workdir;
  std::string hostname;
  std::int32_t stop_signal = 15;
  std::int64_t stop_timeout = 10;
  std::vector<ResolvedMount> mounts;  // the user's and the image's, by destination
  std::vector<std::string> cap_effective, cap_bounding;
  std::vector<oci::IdMapping> uid_map,
      gid_map;  // of the container's own user namespace; empty: none of its own
  std::string userns_mode, network_mode, pid_mode, ipc_mode, uts_mode,
      cgroupns_mode;                    // as inspect shows them
  std::vector<std::string> depends_on;  // ids of containers whose namespaces or volumes are used
  monitor::LogPlan log;
  monitor::HealthPlan health;
  std::int64_t shm_size = 65536000;
  std::vector<NetworkChoice> networks;  // of mode bridge: at least one, with their names
  std::vector<net::PortMapping> ports;  // published, with the host's ports chosen
  std::vector<std::string> expose;      // "80/tcp"
  bool systemd_mode = false;
  std::string seccomp_profile;  // "" default, unconfined, or the path it was read from
  std::string seccomp_text;     // --seccomp-policy image: the image's own profile
  std::string mount_label, process_label, apparmor_profile;
  std::vector<ContainerSecret> secrets;
};
void bind(json::Binder& b, ResolvedMount& m);
void bind(json::Binder& b, ContainerSecret& s);
void bind(json::Binder& b, ContainerConfig& c);

}  // namespace minke::engine
