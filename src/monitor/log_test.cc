// Log drivers written and read back.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "base/str.h"
#include "codec/json.h"
#include "monitor/log_reader.h"
#include "monitor/log_writer.h"
#include "monitor/logs.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

constexpr TimeNs kWhen = 1'136'214'245'000'000'042;  // 2006-01-02T15:04:05.000000042Z

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-log-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    plan_.id = std::string(64, 'c');
    plan_.name = "web";
    plan_.log.path = concat(folder_, "/ctr.log");
  }
  void TearDown() override {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), folder_.c_str()), "test");
  }
  std::string file(const char* suffix = "") {
    auto text = sys::read_small_file(plan_.log.path + suffix);
    return text ? *text : "";
  }
  std::vector<LogLine> read(LogQuery query = {}) {
    std::vector<LogLine> lines;
    Status status = read_logs(plan_.log, plan_.id, query, [&](const LogLine& line) {
      lines.push_back(line);
      return true;
    });
    EXPECT_TRUE(status) << (status ? "" : status.error().message());
    return lines;
  }
  static std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> out;
    for (const LogLine& line : lines) out.push_back(line.text);
    return out;
  }
  std::string folder_;
  Plan plan_;
};

TEST_F(LogTest, K8sFormatIsConmons) {
  auto log = *LogWriter::open(plan_);
  log->write(Stream::out, "one\ntwo", kWhen);
  log->write(Stream::err, "\n", kWhen);
  log->write(Stream::out, " more\n", kWhen);
  log->write(Stream::out, "open", kWhen);
  log->finish(Stream::out, kWhen);
  const std::string t = "2006-01-02T15:04:05.000000042+00:00 ";
  EXPECT_EQ(file(), t + "stdout F one\n" + t + "stdout P two\n" + t + "stderr F \n" + t +
                        "stdout F  more\n" + t + "stdout P open\n" + t + "stdout F \n");
  auto lines = read();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0].time, kWhen);
  EXPECT_TRUE(lines[1].partial);
  EXPECT_TRUE(lines[2].is_stderr);
  EXPECT_EQ(lines[3].text, " more");
}

TEST_F(LogTest, JsonFormatIsDockers) {
  plan_.log.driver = "json-file";
  auto log = *LogWriter::open(plan_);
  log->write(Stream::out, "a\"b\\c\t\x01\n", kWhen);
  log->write(Stream::err, "caf\xc3", kWhen);
  log->write(Stream::err, "\xa9 \xff\n", kWhen);
  log->finish(Stream::err, kWhen);
  EXPECT_EQ(
      file(),
      R"({"log":"a\"b\\c\t\u0001\n","stream":"stdout","time":"2006-01-02T15:04:05.000000042Z"})"
      "\n"
      R"({"log":"caf","stream":"stderr","time":"2006-01-02T15:04:05.000000042Z"})"
      "\n"
      "{\"log\":\"\xc3\xa9 "
      "\\ufffd\\n\",\"stream\":\"stderr\",\"time\":\"2006-01-02T15:04:05.000000042Z\"}\n");
  auto lines = read();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text, "a\"b\\c\t\x01");
  EXPECT_TRUE(lines[1].partial);
  EXPECT_EQ(lines[2].text, "\xc3\xa9 \xef\xbf\xbd");
}

TEST_F(LogTest, RotationLosesNothing) {
  for (const char* driver : {"k8s-file", "json-file"}) {
    plan_.log.driver = driver;
    plan_.log.path = concat(folder_, "/", driver);
    plan_.log.max_size = 10'000;
    plan_.log.max_files = 1000;
    auto log = *LogWriter::open(plan_);
    std::vector<std::string> wanted;
    std::string chunk;
    for (int i = 0; i < 20'000; ++i) {
      wanted.push_back(concat("line ", i));
      chunk += wanted.back() + "\n";
      if (i % 37 == 0) {
        log->write(Stream::out, chunk, kWhen);
        chunk.clear();
      }
    }
    log->write(Stream::out, chunk, kWhen);
    EXPECT_EQ(texts(read()), wanted) << driver;
    struct stat info {};
    ASSERT_EQ(::stat(concat(plan_.log.path, ".1").c_str(), &info), 0);
    EXPECT_LE(info.st_size, 10'000);
    EXPECT_GT(info.st_size, 9'000);
    LogQuery tail;
    for (std::int64_t n : {1, 2, 150, 5000, 19'999, 20'000, 30'000}) {
      tail.tail = n;
      auto last = texts(read(tail));
      std::size_t count = static_cast<std::size_t>(std::min<std::int64_t>(n, 20'000));
      ASSERT_EQ(last.size(), count) << driver << " " << n;
      EXPECT_EQ(last.front(), wanted[wanted.size() - count]);
      EXPECT_EQ(last.back(), wanted.back());
    }
  }
}

TEST_F(LogTest, RotationKeepsTheNumberOfFiles) {
  plan_.log.max_size = 1000;
  auto log = *LogWriter::open(plan_);
  for (int i = 0; i < 500; ++i) log->write(Stream::out, "0123456789\n", kWhen);
  EXPECT_TRUE(sys::exists(plan_.log.path + ".1"));
  EXPECT_TRUE(sys::exists(plan_.log.path + ".2"));
  EXPECT_FALSE(sys::exists(plan_.log.path + ".3"));
}

TEST_F(LogTest, LongLinesAndPartialsCountOnceForTail) {
  auto log = *LogWriter::open(plan_);
  std::string longer(100'000, 'x');
  log->write(Stream::out, "first\n", kWhen);
  log->write(Stream::out, longer + "\n", kWhen);
  log->write(Stream::out, "last\n", kWhen);
  LogQuery query;
  query.tail = 2;
  auto lines = read(query);
  std::string joined;
  for (const LogLine& line : lines) joined += line.text + (line.partial ? "" : "\n");
  EXPECT_EQ(joined, longer + "\nlast\n");
  query.tail = 0;
  EXPECT_TRUE(read(query).empty());
}

// A line's pieces may have the other stream's lines between them; those are older lines.
TEST_F(LogTest, TailTakesWholeLinesOfInterleavedStreams) {
  for (const char* driver : {"k8s-file", "json-file"}) {
    plan_.log.driver = driver;
    plan_.log.path = concat(folder_, "/", driver);
    auto log = *LogWriter::open(plan_);
    log->write(Stream::out, "first\n", kWhen);
    log->write(Stream::out, "no ", kWhen);
    log->write(Stream::err, "error 1\n", kWhen);
    log->write(Stream::out, "end", kWhen);
    log->write(Stream::err, "error 2\n", kWhen);
    log->finish(Stream::out, kWhen);
    auto last = [&](std::int64_t lines) {
      LogQuery query;
      query.tail = lines;
      std::string out, err;
      for (const LogLine& line : read(query))
        (line.is_stderr ? err : out) += line.text + (line.partial ? "" : "\n");
      return out + "|" + err;
    };
    const std::string whole = plan_.log.driver == "json-file" ? "no end" : "no end\n";
    if (plan_.log.driver == "k8s-file") {
      EXPECT_EQ(last(1), "no end\n|");
      EXPECT_EQ(last(2), "no end\n|error 2\n");
      EXPECT_EQ(last(3), "no end\n|error 1\nerror 2\n");
      EXPECT_EQ(last(4), "first\nno end\n|error 1\nerror 2\n");
    } else {  // no end mark is written: the error is the last
      EXPECT_EQ(last(1), "|error 2\n");
      EXPECT_EQ(last(2), "no end|error 2\n");
      EXPECT_EQ(last(3), "no end|error 1\nerror 2\n");
    }
    EXPECT_EQ(last(9), "first\n" + whole + "|error 1\nerror 2\n");
  }
}

TEST_F(LogTest, SinceAndUntil) {
  auto log = *LogWriter::open(plan_);
  for (int i = 0; i < 10; ++i) log->write(Stream::out, concat(i, "\n"), kWhen + i * kSecond);
  LogQuery query;
  query.since = kWhen + 3 * kSecond;
  query.until = kWhen + 5 * kSecond;
  EXPECT_EQ(texts(read(query)), (std::vector<std::string>{"3", "4", "5"}));
}

TEST_F(LogTest, FollowAcrossRotations) {
  plan_.log.max_size = 200'000;
  plan_.log.max_files = 50;
  auto log = *LogWriter::open(plan_);
  std::atomic<bool> ended = false;
  constexpr int kLines = 100'000;
  std::thread writer([&] {
    for (int i = 0; i < kLines; ++i) {
      log->write(Stream::out, concat("n", i, "\n"), kWhen);
      if (i % 5000 == 0) ::usleep(10'000);
    }
    ended = true;
  });
  LogQuery query;
  query.follow = true;
  query.ended = [&] { return ended.load(); };
  int next = 0;
  Status status = read_logs(plan_.log, plan_.id, query, [&](const LogLine& line) {
    EXPECT_EQ(line.text, concat("n", next));
    ++next;
    return next <= kLines && !testing::Test::HasFailure();
  });
  writer.join();
  EXPECT_TRUE(status);
  EXPECT_EQ(next, kLines);
}

TEST_F(LogTest, ReopenAfterTheFileWasMoved) {
  auto log = *LogWriter::open(plan_);
  log->write(Stream::out, "old\n", kWhen);
  ASSERT_EQ(::rename(plan_.log.path.c_str(), (plan_.log.path + ".moved").c_str()), 0);
  log->write(Stream::out, "still old\n", kWhen);
  ASSERT_TRUE(log->reopen());
  log->write(Stream::out, "new\n", kWhen);
  EXPECT_EQ(texts(read()), (std::vector<std::string>{"new"}));
}

TEST_F(LogTest, FullDiskLeavesWholeRecords) {
  plan_.log.path = "/dev/full";
  auto log = *LogWriter::open(plan_);
  log->write(Stream::out, "lost\n", kWhen);  // neither stops nor fails
}

TEST_F(LogTest, DriversWithoutAFile) {
  plan_.log.driver = "none";
  EXPECT_EQ(*LogWriter::open(plan_), nullptr);
  Status status = read_logs(plan_.log, plan_.id, {}, [](const LogLine&) { return true; });
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("'none' log driver"), std::string::npos);
  plan_.log.driver = "syslog";
  EXPECT_FALSE(LogWriter::open(plan_));
}

TEST_F(LogTest, JournaldFields) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
  sys::UniqueFd reader(pair[0]);
  plan_.log.tag = "tag\nEVIL=1";
  auto log = make_journald_log(plan_, sys::UniqueFd(pair[1]));
  log->write(Stream::err, "piece", kWhen);
  auto message = sys::receive_message(reader.get());
  ASSERT_TRUE(message);
  const std::string& text = message->data;
  EXPECT_EQ(text.find("\nEVIL"), std::string::npos);
  for (const char* field :
       {"CONTAINER_ID=cccccccccccc\n", "CONTAINER_NAME=web\n", "CONTAINER_TAG=tag EVIL=1\n",
        "PRIORITY=3\n", "CONTAINER_PARTIAL_MESSAGE=true\n"})
    EXPECT_NE(text.find(field), std::string::npos) << field;
  EXPECT_TRUE(text.ends_with(std::string("MESSAGE\n\5\0\0\0\0\0\0\0piece\n", 8 + 8 + 6)));
}

TEST(FormatStamp, AgreesWithTheLibrary) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    auto time = static_cast<TimeNs>(random() % 4'000'000'000'000'000'000ULL);
    char text[32];
    std::string mine(text, format_stamp(time, text));
    EXPECT_EQ(mine + "Z", format_rfc3339(time, 9, true));
  }
}

// Foreign bytes: whatever lies in the file, the reader ends, and gives only what parses.
TEST_F(LogTest, ReaderSurvivesAnyBytes) {
  std::mt19937 random(7);
  const std::string seeds[] = {"2006-01-02T15:04:05.000000042+00:00 stdout F text\n",
                               R"({"log":"x\n","stream":"stdout","time":"2006-01-02T15:04:05Z"})"
                               "\n",
                               "\n",
                               " ",
                               "stdout F ",
                               "2006-01-02T15:04:05Z stderr P ",
                               std::string(70'000, 'y'),
                               std::string("\0\0", 2)};
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (unsigned n = random() % 12; n > 0; --n) {
      std::string piece = seeds[random() % std::size(seeds)];
      for (unsigned k = random() % 3; k > 0 && !piece.empty(); --k)
        piece[random() % piece.size()] = static_cast<char>(random());
      bytes += piece.substr(0, random() % 4 == 0 ? random() % (piece.size() + 1) : piece.size());
    }
    ASSERT_TRUE(sys::write_file(plan_.log.path, bytes, 0600));
    for (const char* driver : {"k8s-file", "json-file"}) {
      plan_.log.driver = driver;
      auto all = texts(read());
      LogQuery query;
      query.tail = random() % 5;
      EXPECT_LE(read(query).size(), all.size());
    }
  }
}

}  // namespace
}  // namespace minke::monitor
