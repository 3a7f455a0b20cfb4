// Go templates over a report: any text ends within its limits, and a parsed one says the same
// twice.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/gotemplate.h"

namespace {

constexpr std::string_view kReport = R"({"ID":"0123456789abcdef","Names":["a","b"],"Size":-12,
 "Big":18446744073709551615,"Ratio":1.5,"Up":true,"Created":"2024-02-29T23:59:58.123Z","None":null,
 "Labels":{"k":"v","odd key":"%s {{.}} \u00e9 <&>"},"Mounts":[{"Source":"/a","RW":true},{}],"Wait":1500000000})";

constexpr minke::gotemplate::FieldShape kFields[] = {
    {"Labels", minke::gotemplate::FieldKind::map},
    {"Created", minke::gotemplate::FieldKind::time},
    {"Wait", minke::gotemplate::FieldKind::duration},
    {"Missing", minke::gotemplate::FieldKind::list},
    {"None", minke::gotemplate::FieldKind::pointer},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  static const json::Value report = *json::parse(kReport);
  auto made = gotemplate::Template::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!made) return 0;
  gotemplate::Shape shape;
  shape.fields = kFields;
  gotemplate::Limits limits;
  limits.max_output = 1 << 16;
  limits.max_steps = 20'000;
  auto first = made->execute(report, shape, limits);
  auto second = made->execute(report, shape, limits);
  if (first.ok() != second.ok() || (first.ok() && *first != *second)) __builtin_trap();
  if (first.ok() && first->size() > limits.max_output) __builtin_trap();
  return 0;
}
