#include "engine/events.h"

#include <gtest/gtest.h>

namespace minke::engine {
namespace {

TEST(Events, LineIsReadBackAsItWasWritten) {
  monitor::Event event;
  event.type = "container";
  event.status = "died";
  event.id = "abc";
  event.name = "we\"b\n";
  event.image = "i:1";
  event.health_status = "healthy";
  event.error = "\x01";
  event.has_exit_code = true;
  event.exit_code = -3;
  event.time = 1'600'000'000'123'456'789;
  event.attributes = {{"k", "v"}, {"é", "\\\t"}};
  monitor::Event back;
  ASSERT_TRUE(parse_event(monitor::event_json(event), &back));
  EXPECT_EQ(monitor::event_json(back), monitor::event_json(event));
  EXPECT_EQ(back.name, event.name);
  EXPECT_EQ(back.time, event.time);
  ASSERT_EQ(back.attributes.size(), 2u);
  EXPECT_EQ(back.attributes[1].value, "\\\t");
}

TEST(Events, LinesOfPodmanAreRead) {
  monitor::Event event;
  EXPECT_TRUE(parse_event(
      R"({"Name":"v","Status":"create","Time":"2026-11-22T13:23:35.9+01:00","Type":"volume","Attributes":null})",
      &event));
  EXPECT_EQ(event.time, 1795350215'900'000'000);
  EXPECT_TRUE(parse_event(
      R"({"Status":"a","Unknown":null,"More":"x","Number":7,"Time":"2026-11-22T13:23:35Z","Type":"t","Attributes":{}})",
      &event));
}

TEST(Events, CutLinesAreNone) {
  monitor::Event event;
  std::string whole =
      R"({"ContainerExitCode":3,"ID":"a","Status":"s","Time":"2026-11-22T13:23:35Z","Type":"t","Attributes":{"k":"\u00e9"}})";
  ASSERT_TRUE(parse_event(whole, &event));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_event(std::string_view(whole).substr(0, size), &event)) << size;
  EXPECT_FALSE(parse_event(whole + whole, &event));
}

}  // namespace
}  // namespace minke::engine
