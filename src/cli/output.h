// Standard output: data only, checked. And the forms of --format: a table, a Go template, JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/gotemplate.h"
#include "codec/json.h"

namespace minke::cli {

// Collects output and writes it in large pieces. A failed write is kept and comes back from
// flush().
class Output {
 public:
  explicit Output(int fd = 1) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void text(std::string_view piece);
  void line(std::string_view piece);
  // Writes what is collected. Errors: "write standard output: No space left on device"; EPIPE has
  // sys() EPIPE.
  Status flush();
  // The reader has gone: more output is of no use.
  bool broken() const { return failed_ != 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
  int failed_ = 0;  // errno
  std::string buffer_;
};

// Go's text/tabwriter as Podman sets it up: cells end at a tab, columns are at least 12 wide with
// two blanks between; a column is a block of lines that follow each other and have that cell.
std::string align_columns(std::string_view text, std::size_t min_width = 12,
                          std::size_t padding = 2);

// A field that templates over rows may name, and the head of its column; an empty head is made of
// the name ("MountCount": "MOUNT COUNT").
struct Column {
  std::string_view field;
  std::string_view header = {};
};

// One kind of listing.
struct Listing {
  std::string_view name;  // in the messages of templates, as Podman names it: "ps", "ls", "images"
  std::span<const Column> columns;
  std::string_view default_format;  // "table {{.ID}}\t{{.Image}}"
  gotemplate::Shape shape = {};     // of a row
  int json_indent = 2;
};

struct FormatChoice {
  std::string_view format;  // of --format; empty: the default of the listing
  bool no_heading = false;
};

// True for "json" and "{{json .}}", which print the whole list.
bool is_json_format(std::string_view format);

// Writes rows as asked: JSON of `json_rows` (of `rows` when null), a table, or a template for each
// row.
Status write_rows(Output& out, const Listing& listing, const FormatChoice& choice,
                  const json::Array& rows, const json::Array* json_rows = nullptr);

// Writes one object by a template ("version", "info"): no range around it, a newline after it.
Status write_object(Output& out, std::string_view name, std::string_view format,
                    const json::Value& value, const gotemplate::Shape& shape, int json_indent);

// A template of --format that is filled again and again, a row each time.
class RowTemplate {
 public:
  static Result<RowTemplate> parse(std::string_view name, std::string_view format);
  Status write(Output& out, const json::Value& value, const gotemplate::Shape& shape) const;

 private:
  RowTemplate(gotemplate::Template parsed, bool table)
      : parsed_(std::move(parsed)), table_(table) {}
  gotemplate::Template parsed_;
  bool table_;
};

// Writes what inspect found: an indented JSON array (five blanks, as Podman), or a template for
// each.
Status write_inspect(Output& out, std::string_view format, const json::Array& items,
                     const gotemplate::Shape& shape);

// "MountCount" to "MOUNT COUNT", "ID" to "ID", "CreatedAt" to "CREATED AT".
std::string header_of(std::string_view field);

}  // namespace minke::cli
