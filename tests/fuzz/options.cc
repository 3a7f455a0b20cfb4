// The words of a command line: run's option tables, and the compound values that engine parses.
// Words stand a line each.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/str.h"
#include "cli/container_flags.h"
#include "engine/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // What names a file would be opened, and is not what is tested here.
  if (size > 4096 || text.find("file") != std::string_view::npos) return 0;
  std::vector<std::string> words;
  for (std::string_view word : split(text, '\n')) words.emplace_back(word);
  for (const std::string& word : words) {
    (void)engine::parse_volume(word).ok();
    (void)engine::parse_mount(word).ok();
    (void)engine::parse_tmpfs(word).ok();
    (void)engine::parse_secret(word).ok();
    (void)engine::parse_ulimit(word).ok();
    (void)engine::parse_restart(word).ok();
    (void)engine::parse_entrypoint(word).ok();
    for (const char* flag : {"pid", "ipc", "userns", "cgroupns", "network"})
      (void)engine::parse_namespace(flag, word).ok();
    (void)cli::split_csv(word).ok();
  }
  cli::RunFlags flags;
  std::vector<cli::BoundTable> tables;
  for (const cli::OptionTable& table : cli::kRunTables) tables.push_back({table, &flags});
  auto parsed = cli::parse_options(tables, words, {.interspersed = false});
  if (!parsed) return 0;
  cli::GlobalOptions global;
  cli::Output out;
  std::vector<std::string> args = parsed->positional;
  cli::Invocation call{"minke", "run", global, std::move(args), words, *parsed, out};
  (void)cli::make_run_request(call, flags).ok();
  return 0;
}
