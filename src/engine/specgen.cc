// A ContainerConfig becomes the OCI spec.
#include "base/str.h"
#include "base/time.h"
#include "engine/specgen_internal.h"

namespace minke::engine {

// Annotations that the engine decides; what an image carries never comes here (CVE-2026-94603).
void add_annotations(SpecBuilder* b) {
  const CreateRequest& request = b->request;
  auto flag = [](bool on) { return on ? "TRUE" : "FALSE"; };
  oci::StringMap& notes = b->spec.annotations;
  notes = b->config.annotations;
  notes["io.container.manager"] = "libpod";
  notes["io.kubernetes.cri-o.Created"] = format_rfc3339(b->config.created, -1, true);
  notes["io.kubernetes.cri-o.TTY"] = request.terminal ? "true" : "false";
  notes["io.podman.annotations.autoremove"] = flag(request.remove);
  notes["io.podman.annotations.init"] = flag(request.init);
  notes["io.podman.annotations.privileged"] = flag(request.privileged);
  notes["io.podman.annotations.publish-all"] = "FALSE";
  notes["org.opencontainers.image.stopSignal"] = concat(b->config.stop_signal);
}

Result<oci::Spec> make_spec(const ContainerConfig& config, const SpecContext& context) {
  SpecBuilder b{config, config.request, context, *context.host, {}, {}, {}, {}};
  // All that stands in it is of 1.0; older runtimes refuse a later number.
  b.spec.oci_version = "1.0.2";
  b.security = TRY(parse_security_options(config.request));
  b.spec.root = oci::Root{config.rootfs.empty() ? context.container_dir + "/rootfs" : config.rootfs,
                          config.request.read_only};
  TRY(add_namespaces(&b));
  TRY(add_process(&b));
  TRY(add_limits(&b));
  TRY(add_security(&b));
  TRY(add_mounts(&b));
  add_annotations(&b);
  TRY(add_hooks(&b));
  b.spec.process = std::move(b.process);
  b.spec.linux_ = std::move(b.linux_);
  return std::move(b.spec);
}

}  // namespace minke::engine
