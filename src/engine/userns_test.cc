#include "engine/userns.h"

#include "base/str.h"

namespace minke::engine {

using Map = std::vector<oci::IdMapping>;

std::string show(const Map& map) {
  std::string text;
  for (const oci::IdMapping& line : map)
    text += concat(text.empty() ? "" : " ", line.container_id, ":", line.host_id, ":", line.size);
  return text;
}

Host rootless_host() {
  Host host;
  host.rootless = true;
  host.uid = host.gid = 1001;
  host.user_name = "user";
  host.uid_map = host.gid_map = {{0, 1001, 1}, {1, 100000, 65536}};
  return host;
}

std::string resolve(const CreateRequest& request, const Host& host, const Map& taken = {}) {
  auto maps = resolve_userns(request, host, [&]() -> Result<Map> { return taken; });
  if (!maps) return maps.error().message();
  if (!maps->private_) return "host";
  std::string uids = show(maps->uid_map), gids = show(maps->gid_map);
  return uids == gids ? uids : uids + " | " + gids;
}

CreateRequest with_mode(const std::string& mode, const std::string& value = "") {
  CreateRequest request;
  request.userns = {mode, value};
  return request;
}
CreateRequest with_maps(std::vector<std::string> uids, std::vector<std::string> gids = {}) {
  CreateRequest request;
  request.uid_maps = std::move(uids);
  request.gid_maps = std::move(gids);
  return request;
}

TEST(Userns, HostHasNoNamespaceOfItsOwn) {
  EXPECT_EQ(resolve(with_mode(""), rootless_host()), "host");
  EXPECT_EQ(resolve(with_mode("host"), rootless_host()), "host");
}

// The first two lines are what podman 4.3 writes for the same user.
TEST(Userns, KeepId) {
  Host host = rootless_host();
  EXPECT_EQ(resolve(with_mode("keep-id"), host), "0:1:1001 1001:0:1 1002:1002:64535");
  EXPECT_EQ(resolve(with_mode("keep-id", "uid=3,gid=4"), host),
            "0:1:3 3:0:1 4:4:65533 | 0:1:4 4:0:1 5:5:65532");
  EXPECT_EQ(resolve(with_mode("keep-id", "size=2000"), host), "0:1:1001 1001:0:1 1002:1002:998");
  EXPECT_EQ(resolve(with_mode("keep-id", "foo=3"), host), "unknown option specified: \"foo\"");
  EXPECT_EQ(resolve(with_mode("keep-id"), Host()), "keep-id is only supported in rootless mode");
}

TEST(Userns, KeepIdWithOneIdOnly) {
  Host host = rootless_host();
  host.single_id = true;
  host.uid_map = host.gid_map = {{0, 1001, 1}};
  EXPECT_EQ(resolve(with_mode("keep-id"), host), "1001:0:1");
  EXPECT_NE(resolve(with_mode("nomap"), host).find("no subordinate ids"), std::string::npos);
}

TEST(Userns, NomapLeavesTheCallerOut) {
  EXPECT_EQ(resolve(with_mode("nomap"), rootless_host()), "0:1:65536");
}

TEST(Userns, AutoTakesWhatOthersHaveNot) {
  EXPECT_EQ(resolve(with_mode("auto"), rootless_host()), "0:1:1024");
  EXPECT_EQ(resolve(with_mode("auto"), rootless_host(), {{0, 1, 1024}}), "0:1025:1024");
  EXPECT_EQ(resolve(with_mode("auto", "size=10"), rootless_host(), {{0, 3, 1}}), "0:1:2 2:4:8");
  EXPECT_EQ(resolve(with_mode("auto", "size=10,uidmapping=5:0:1"), rootless_host()),
            "0:1:5 5:0:1 6:6:4 | 0:1:10");
  EXPECT_EQ(resolve(with_mode("auto", "size=65537"), rootless_host()),
            "creating container storage: could not find enough available IDs");
}

TEST(Userns, ExplicitMaps) {
  EXPECT_EQ(resolve(with_maps({"0:1:10"}), rootless_host()), "0:1:10");
  EXPECT_EQ(resolve(with_maps({"0:100000:65536"}, {"0:200000:5"}), Host()),
            "0:100000:65536 | 0:200000:5");
  EXPECT_EQ(resolve(with_maps({"0:0"}), rootless_host()), "0:0:1");
  for (const char* bad :
       {"0", "0:1:x", "0:1:0", "a:b", "0:1:2:3", "0:4294967295:2", "0:1:4294967296", ""})
    EXPECT_EQ(resolve(with_maps({bad}), rootless_host()),
              concat("initializing ID mappings: UID setting is malformed expected "
                     "[\"uint32:uint32:uint32\"]: [",
                     quote(bad), "]"));
  EXPECT_EQ(resolve(with_maps({"0:1:10", "5:20:10"}), rootless_host()),
            "UID mappings overlap at 5");
}

TEST(Userns, PlusAddsToTheDefault) {
  EXPECT_EQ(resolve(with_maps({"+7:0:1"}), rootless_host()), "1:1:6 7:0:1 8:8:65529");
  EXPECT_EQ(resolve(with_maps({"u+7:0:1"}), rootless_host()), "1:1:6 7:0:1 8:8:65529 | 0:0:65537");
}

TEST(Userns, AtNamesARealId) {
  EXPECT_EQ(resolve(with_maps({"0:@1001:1"}), rootless_host()), "0:0:1");
  EXPECT_EQ(resolve(with_maps({"5:@100009:1"}), rootless_host()), "5:10:1");
  EXPECT_EQ(resolve(with_maps({"0:@5:1"}), rootless_host()),
            "initializing ID mappings: no intermediate mapping for host UID 5 in \"0:@5:1\"");
}

TEST(Userns, RefusesIdsThatTheUserDoesNotHave) {
  std::string error = resolve(with_maps({"0:100000:1"}), rootless_host());
  EXPECT_TRUE(error.starts_with("potentially insufficient UIDs")) << error;
}

TEST(Userns, ModesAndMapsExcludeEachOther) {
  CreateRequest request = with_maps({"0:1:1"});
  request.userns.mode = "host";
  EXPECT_EQ(resolve(request, rootless_host()),
            "--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive");
  EXPECT_EQ(resolve(with_mode("private"), Host()),
            "must provide at least one UID or GID mapping to configure a user namespace");
}

}  // namespace minke::engine
