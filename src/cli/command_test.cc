#include "cli/command.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/complete.h"
#include "cli/filter.h"

namespace minke::cli {
namespace {

struct Ran {
  int code = 0;
  std::string out, err;
};
Ran run(std::vector<std::string> argv) {
  Ran ran;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  ran.code = run_command_line(argv);
  std::fflush(stderr);
  ran.out = testing::internal::GetCapturedStdout();
  ran.err = testing::internal::GetCapturedStderr();
  return ran;
}

TEST(CommandLine, NamesWhatIsUnknown) {
  EXPECT_EQ(
      run({"podman", "frob"}).err,
      "Error: unrecognized command `podman frob`\nTry 'podman --help' for more information\n");
  EXPECT_EQ(run({"/usr/bin/podman", "contaner"}).err,
            "Error: unrecognized command `podman contaner`\n\nDid you mean this?\n\tcontainer\n\n"
            "Try 'podman --help' for more information\n");
  EXPECT_EQ(run({"podman", "volume", "foo"}).err,
            "Error: unrecognized command `podman volume foo`\nTry 'podman volume --help' for more "
            "information\n");
  EXPECT_EQ(run({"podman", "version", "--foo"}).err,
            "Error: unknown flag: --foo\nSee 'podman version --help'\n");
  EXPECT_EQ(run({"podman", "-x"}).err,
            "Error: unknown shorthand flag: 'x' in -x\nSee 'podman --help'\n");
  EXPECT_EQ(run({"podman", "version", "x"}).err, "Error: `podman version` takes no arguments\n");
  EXPECT_EQ(run({"docker", "volume"}).err, "Error: missing command 'docker volume COMMAND'\n");
  EXPECT_EQ(run({"minke", "completion"}).err, "Error: accepts 1 arg(s), received 0\n");
  EXPECT_EQ(run({"minke", "frob"}).code, 125);
}

TEST(CommandLine, RefusesByNameWhatIsNotThereYet) {
  EXPECT_EQ(run({"minke", "pod", "ps"}).err,
            "Error: minke pod: not supported yet: pods come later\n");
  EXPECT_EQ(run({"minke", "--url", "x", "version"}).err,
            "Error: --url: not supported yet: this engine has no client mode: it works without a "
            "service\n");
}

TEST(CommandLine, LetsDefaultsOfRefusedOptionsPass) {
  for (const char* word : {"--remote=false", "--url=", "--connection=", "--context=default",
                           "--syslog=0", "--events-backend=file", "-c", "-H"}) {
    std::vector<std::string> words = {"podman", word};
    if (word[1] != '-') words.emplace_back("");
    words.emplace_back("version");
    EXPECT_EQ(run(words).code, 0) << word;
  }
  for (const char* word : {"--remote", "-r", "--remote=true", "--url=x", "-cx", "--context=other",
                           "--transient-store"})
    EXPECT_EQ(run({"podman", word, "version"}).code, 125) << word;
  EXPECT_EQ(run({"podman", "--url", "", "version"}).code, 0);
  EXPECT_EQ(run({"podman", "--url", "x", "version"}).code, 125);
}

TEST(CommandLine, TakesGlobalOptionsOnBothSides) {
  EXPECT_EQ(run({"minke", "--log-level", "error", "version", "--log-level=warn"}).code, 0);
  EXPECT_EQ(run({"minke", "volume", "--log-level", "nonsense"}).code, 125);
  EXPECT_NE(run({"minke", "version", "--log-level", "nonsense"})
                .err.find("\"nonsense\" is not supported"),
            std::string::npos);
}

TEST(CommandLine, PrintsItsVersion) {
  EXPECT_EQ(run({"minke", "--version"}).out, "minke version " MINKE_VERSION "\n");
  EXPECT_EQ(run({"podman", "-v"}).out.substr(0, 15), "podman version ");
  EXPECT_EQ(run({"minke", "version", "--format", "{{.Client.Version}} {{.Client.Os}}"}).out,
            MINKE_VERSION " linux\n");
  EXPECT_EQ(run({"minke", "version", "--format", "{{.Server.Version}}"}).out, MINKE_VERSION "\n");
  EXPECT_EQ(run({"minke", "version", "-f", "{{.Foo}}"}).err,
            "Error: template: version:1:2: executing \"version\" at <.Foo>: can't evaluate field "
            "Foo in type *define.Version\n");
  EXPECT_EQ(run({"minke", "version", "-f", "json"}).out.substr(0, 12), "{\"Client\":{\"");
}

TEST(CommandLine, HelpsInThreeWays) {
  std::string help = run({"podman", "version", "--help"}).out;
  EXPECT_EQ(help.substr(0, help.find("Options:")),
            "Display the version information\n\nDescription:\n  Display the version information\n\n"
            "Usage:\n  podman version [options]\n\n");
  EXPECT_EQ(run({"podman", "version", "-h"}).out, help);
  EXPECT_EQ(run({"podman", "help", "version"}).out, help);
  EXPECT_NE(run({"podman", "--help"}).out.find("Available Commands:\n"), std::string::npos);
}

// Every table of the tree: names once, shorthands once, help for each, and a page of it all.
TEST(Tree, IsSound) {
  std::set<std::string_view> paths;
  for (const TreeRow& row : command_tree()) {
    EXPECT_TRUE(paths.insert(row.path).second) << row.path;
    EXPECT_NE(row.command == nullptr, row.refused == nullptr) << row.path;
    if (row.command == nullptr) continue;
    EXPECT_FALSE(help_text("minke", row).empty());
    std::set<std::string_view> names;
    std::set<char> shorts;
    for (const OptionTable& table : row.command->tables) {
      for (std::size_t i = 0; i < table.count; ++i) {
        const OptionInfo& option = table.row(i);
        EXPECT_TRUE(names.insert(option.name).second) << row.path << " --" << option.name;
        if (option.extra.alias != nullptr) {
          EXPECT_TRUE(names.insert(option.extra.alias).second) << option.extra.alias;
        }
        if (option.shorthand != 0) {
          EXPECT_TRUE(shorts.insert(option.shorthand).second)
              << row.path << " -" << option.shorthand;
        }
      }
    }
  }
}

TEST(Completion, KnowsTheTables) {
  const std::string top[] = {"ver"};
  EXPECT_EQ(complete_words(top), "version\tDisplay the version information\n");
  const std::string options[] = {"version", "--f"};
  EXPECT_EQ(complete_words(options),
            "--format\tChange the output format to JSON or a Go template\n");
  const std::string behind_run[] = {"run", "--rm", "image", ""};
  EXPECT_EQ(complete_words(behind_run), ":files\n");
  const std::string nowhere[] = {"--root", "/nonexistent", "rmi", ""};
  EXPECT_EQ(complete_words(nowhere), "");
  EXPECT_EQ(without_hints("a\tb\nc\n:files\n"), "a\nc\n:files\n");
  const std::string value[] = {"version", "--format", ""};
  EXPECT_EQ(complete_words(value), "json\n");
  const std::string file[] = {"load", "--input", ""};
  EXPECT_EQ(complete_words(file), ":files\n");
  const std::string joined[] = {"run", "--log-driver=jo"};
  EXPECT_EQ(complete_words(joined), "--log-driver=journald\n");
  const std::string global[] = {"ps", "--log-level", "tr"};
  EXPECT_EQ(complete_words(global), "trace\n");
  EXPECT_TRUE(
      completion_script("bash", "podman", true)->find("complete -F _podman_complete podman") !=
      std::string::npos);
  EXPECT_FALSE(completion_script("tcsh", "podman", true).ok());
}

}  // namespace
}  // namespace minke::cli
