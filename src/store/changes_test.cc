#include "store/changes.h"

#include <gtest/gtest.h>

namespace minke::store {
namespace {

TEST(Changes, EveryInstruction) {
  oci::ImageProcessConfig config;
  Status done = apply_changes(
      {"CMD [\"/bin/sh\", \"-l\"]", "ENTRYPOINT echo hi", "ENV A=b", "ENV=A=c d", "env \"Q\"=\"r\"",
       "EXPOSE 80", "EXPOSE 53/UDP", "LABEL x=y", "VOLUME /a /b", "VOLUME [\"/c d\"]", "WORKDIR /w",
       "WORKDIR sub", "USER 1:1", "STOPSIGNAL TERM", "ONBUILD RUN x"},
      &config);
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(*config.cmd, (std::vector<std::string>{"/bin/sh", "-l"}));
  EXPECT_EQ(*config.entrypoint, (std::vector<std::string>{"/bin/sh", "-c", "echo hi"}));
  EXPECT_EQ(config.env, (std::vector<std::string>{"A=c d", "Q=r"}));
  EXPECT_TRUE(config.exposed_ports.contains("80/tcp") && config.exposed_ports.contains("53/udp"));
  EXPECT_EQ(config.labels.at("x"), "y");
  EXPECT_EQ(config.volumes.size(), 3U);
  EXPECT_EQ(config.working_dir, "/w/sub");
  EXPECT_EQ(config.user, "1:1");
  EXPECT_EQ(config.stop_signal, "TERM");
  EXPECT_EQ(config.on_build->at(0), "RUN x");
}

TEST(Changes, Refuses) {
  for (const char* change :
       {"CMD", "FOO bar", "EXPOSE 0", "EXPOSE 99999", "EXPOSE x", "EXPOSE 1/2/3", "EXPOSE 1/xyz",
        "USER ", "ENV =x", "LABEL =x", "VOLUME []", "STOPSIGNAL NOPE", ""}) {
    oci::ImageProcessConfig config;
    EXPECT_FALSE(apply_changes({change}, &config).ok()) << change;
  }
  oci::ImageProcessConfig config;
  Status done = apply_changes({"FOO bar"}, &config);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message(), "invalid change \"FOO bar\" - invalid instruction FOO");
}

}  // namespace
}  // namespace minke::store
