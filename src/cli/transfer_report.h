// What a person sees while an image travels: Podman's lines on standard error, and on a terminal a
// line for each layer that counts its bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/registry_access.h"

namespace minke::cli {

class TransferReport {
 public:
  enum class Way : std::uint8_t { pull, push };
  TransferReport(Way way, bool quiet);
  ~TransferReport() { settle(); }
  TransferReport(const TransferReport&) = delete;
  TransferReport& operator=(const TransferReport&) = delete;
  engine::TransferWatch watch();
  // Leaves what is drawn as it stands: before anything else is written.
  void settle();

 private:
  struct Row {
    std::string digest;
    std::uint64_t done = 0, total = 0;
    bool finished = false, skipped = false;
  };
  void take(const engine::TransferEvent& event);
  void line(const std::string& text);
  void draw();
  Row& row(const std::string& digest);
  std::string text_of(const Row& row, std::size_t width) const;

  Way way_;
  bool quiet_, terminal_;
  bool begun_ = false;
  std::vector<Row> rows_;
  std::size_t drawn_ = 0;
  std::int64_t last_ = 0;
};

}  // namespace minke::cli
