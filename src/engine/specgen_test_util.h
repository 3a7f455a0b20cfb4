// A host, an image of plain folders, and the way from a request to a spec, for the tests of
// decisions.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "base/str.h"
#include "engine/specgen_internal.h"
#include "engine/volume.h"
#include "sys/fd.h"

namespace minke::engine {

class SpecTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + concat("minke-spec-", ::getpid());
    ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir_.c_str()));
    for (const char* sub :
         {"/root/volumes", "/run", "/layer1/etc", "/layer2/etc", "/root/containers/c/upper"})
      ASSERT_TRUE(sys::ensure_dirs(dir_ + sub, 0755));
    put("layer1/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n");
    put("layer1/etc/group", "root:x:0:\nwheel:x:10:root,app\napp:x:1000:\n");
    lower_ = {dir_ + "/layer2", dir_ + "/layer1"};
    host_.root = dir_ + "/root";
    host_.volumes = host_.root + "/volumes";
    host_.runroot = dir_ + "/run";
    host_.init_path = "/bin/true";
    image_.id = std::string(64, 'a');
    image_.names = {"localhost/img:latest"};
    image_.config.config.cmd = std::vector<std::string>{"sleep", "1"};
    request_.image = "img";
    request_.http_proxy = false;
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir_.c_str())); }

  void put(const std::string& path, std::string_view text) {
    ASSERT_TRUE(sys::write_file(dir_ + "/" + path, text, 0644));
  }

  Result<ContainerConfig> resolve() {
    ResolveContext context;
    context.host = &host_;
    context.image = &image_;
    context.id = std::string(64, 'c');
    context.container_dir = dir_ + "/root/containers/c";
    context.find_container = [this](std::string_view name) -> Result<ContainerConfig> {
      if (other_ && (name == other_->name || name == other_->id)) return *other_;
      return Error(Errc::not_found, concat("no container with name or ID ", quote(name),
                                           " found: no such container"));
    };
    context.find_network = [](std::string_view name) -> Result<net::Network> {
      net::Network network;
      network.name = name.empty() ? "podman" : name;
      if (name == "" || name == "podman" || name == "other") return network;
      return Error(Errc::not_found,
                   concat("unable to find network with name or ID ", name, ": network not found"));
    };
    context.auto_maps_in_use = []() -> Result<std::vector<oci::IdMapping>> {
      return std::vector<oci::IdMapping>();
    };
    context.ensure_volume = [this](const std::string& name, bool anonymous) -> Result<std::string> {
      Volumes volumes(host_);
      Volumes::Create create;
      create.name = name;
      create.anonymous = anonymous;
      create.ignore_existing = true;
      TRY(volumes.create(create));
      return volumes.mountpoint(name);
    };
    ContainerConfig config = TRY(resolve_config(request_, context));
    config.lower = lower_;
    return config;
  }
  Result<oci::Spec> spec() {
    ContainerConfig config = TRY(resolve());
    SpecContext context;
    context.host = &host_;
    context.container_dir = dir_ + "/root/containers/c";
    context.run_dir = dir_ + "/run/c";
    context.container_pid = [](std::string_view) -> Result<pid_t> { return pid_t{42}; };
    return make_spec(config, context);
  }
  // The error that the request as it stands ends in.
  std::string error() {
    auto made = spec();
    return made ? "" : made.error().message();
  }

  // "DEST TYPE SOURCE OPTIONS", with the test's own folder as DIR.
  std::string line(const oci::Mount& mount) const {
    std::string text = concat(mount.destination, " ", mount.type, " ", mount.source, " ",
                              join(mount.options, ","));
    for (std::size_t at; (at = text.find(dir_)) != std::string::npos;)
      text.replace(at, dir_.size(), "DIR");
    return text;
  }
  std::string mount_at(const oci::Spec& made, std::string_view destination) const {
    for (const oci::Mount& mount : made.mounts)
      if (mount.destination == destination) return line(mount);
    return "";
  }

  std::string dir_;
  std::vector<std::string> lower_;  // topmost first
  Host host_;
  store::Image image_;
  CreateRequest request_;
  std::optional<ContainerConfig> other_;
};

}  // namespace minke::engine
