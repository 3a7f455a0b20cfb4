#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <vector>

#include "base/str.h"

namespace minke::cli {

void Output::text(std::string_view piece) {
  constexpr std::size_t kEnough = 64 << 10;
  buffer_ += piece;
  if (buffer_.size() >= kEnough) ignore(flush(), "kept in failed_ until the caller's own flush");
}

void Output::line(std::string_view piece) {
  buffer_ += piece;
  text("\n");
}

Status Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && failed_ == 0) {
    ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      failed_ = errno;
  }
  buffer_.clear();
  if (failed_ != 0) return Error::from_errno(failed_, "write standard output");
  return {};
}

namespace {

std::size_t width_of(std::string_view cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

using Row = std::vector<std::string_view>;

// Sets the width of column `column` for the block of rows that begins at `first`, and of the
// columns right of it; `widths` is per row and cell.
void set_widths(const std::vector<Row>& rows, std::vector<std::vector<std::size_t>>& widths,
                std::size_t min_width, std::size_t padding) {
  std::size_t most = 0;
  for (const Row& row : rows) most = std::max(most, row.size());
  for (std::size_t column = 0; column + 1 < most; ++column) {
    for (std::size_t first = 0; first < rows.size();) {
      if (rows[first].size() < column + 2) {
        ++first;
        continue;
      }
      std::size_t end = first;
      std::size_t width = min_width;
      for (; end < rows.size() && rows[end].size() >= column + 2; ++end)
        width = std::max(width, width_of(rows[end][column]) + padding);
      for (; first < end; ++first) widths[first][column] = width;
    }
  }
}

}  // namespace

std::string align_columns(std::string_view text, std::size_t min_width, std::size_t padding) {
  bool ended = text.ends_with('\n');
  if (ended) text.remove_suffix(1);
  std::vector<Row> rows;
  std::vector<std::vector<std::size_t>> widths;
  for (std::string_view line : split(text, '\n')) {
    rows.push_back(split(line, '\t'));
    widths.emplace_back(rows.back().size());
  }
  set_widths(rows, widths, min_width, padding);
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      out += rows[r][c];
      // The text after the last tab belongs to no column.
      if (c + 1 < rows[r].size())
        out.append(widths[r][c] - std::min(widths[r][c], width_of(rows[r][c])), ' ');
    }
    if (r + 1 < rows.size() || ended) out += '\n';
  }
  return out;
}

std::string header_of(std::string_view field) {
  auto upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    // A word begins where the case rises, where digits begin or end, and at the last capital before
    // a small letter.
    bool starts =
        i > 0 &&
        ((upper(field[i]) && !upper(field[i - 1])) || digit(field[i]) != digit(field[i - 1]) ||
         (upper(field[i]) && i + 1 < field.size() && !upper(field[i + 1]) && !digit(field[i + 1])));
    if (starts) out += ' ';
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(field[i])));
  }
  return out;
}

bool is_json_format(std::string_view format) {
  format = trim(format);
  if (format == "json") return true;
  if (!format.starts_with("{{") || !format.ends_with("}}")) return false;
  std::string_view inner = trim(format.substr(2, format.size() - 4));
  if (!inner.starts_with("json")) return false;
  inner = trim(inner.substr(4));
  return inner.empty() || inner == ".";
}

namespace {

constexpr std::string_view kTable = "table ";

// What Podman does with the text of the command line before it is a template: \t and \n become what
// they mean, in a table blanks separate columns, and the row ends with a newline.
std::string normalize(std::string_view format) {
  bool table = format.starts_with(kTable);
  if (table) format.remove_prefix(kTable.size());
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    char next = i + 1 < format.size() ? format[i + 1] : '\0';
    if (format[i] == '\\' && (next == 't' || next == 'n')) {
      out += next == 't' ? '\t' : '\n';
      ++i;
    } else {
      out += table && format[i] == ' ' ? '\t' : format[i];
    }
  }
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

std::string_view skip_blanks(std::string_view text) {
  std::size_t at = text.find_first_not_of(" \t\n");
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

// Takes the words off the front of `text`, with any blanks before each.
bool take(std::string_view& text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    text = skip_blanks(text);
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
  }
  return true;
}

// True when the template itself goes over the rows: "{{range .}}...{{end}}", not "{{range
// .Mounts}}".
bool loops_over_rows(std::string_view body) {
  for (std::size_t at = body.find("{{"); at != std::string_view::npos;
       at = body.find("{{", at + 2)) {
    std::string_view rest = body.substr(at + 2);
    if (take(rest, {"range", ".", "}}"})) return true;
  }
  return false;
}

std::string ranged(std::string_view body) {
  if (loops_over_rows(body)) return std::string(body);
  return concat("{{range .}}", body, "{{end -}}");
}

Result<std::string> headers_text(const gotemplate::Template& parsed, const Listing& listing) {
  json::Object heads;
  for (const Column& column : listing.columns)
    heads.set(column.field,
              column.header.empty() ? header_of(column.field) : to_upper(column.header));
  constexpr gotemplate::FieldShape kMap[] = {{"", gotemplate::FieldKind::map}};
  json::Array rows;
  rows.emplace_back(std::move(heads));
  auto text = parsed.execute(json::Value(std::move(rows)), {"map[string]string", kMap});
  if (!text) return std::move(text.error()).wrap("failed to write report column headers");
  return text;
}

}  // namespace

Status write_rows(Output& out, const Listing& listing, const FormatChoice& choice,
                  const json::Array& rows, const json::Array* json_rows) {
  if (is_json_format(choice.format)) {
    out.line(
        json::dump(json::Value(json_rows != nullptr ? *json_rows : rows), listing.json_indent));
    return out.flush();
  }
  bool own = choice.format.empty() || choice.format == "table";
  std::string_view format = own ? listing.default_format : choice.format;
  bool table = format.starts_with(kTable);
  // The default is written with tabs and may have blanks inside of a cell.
  std::string body = own && table ? concat(format.substr(kTable.size()), "\n") : normalize(format);
  gotemplate::Template parsed = TRY(gotemplate::Template::parse(ranged(body), listing.name));
  std::string text;
  if (table && !choice.no_heading) text = TRY(headers_text(parsed, listing));
  text += TRY(parsed.execute(json::Value(rows), listing.shape));
  out.text(table ? align_columns(text) : text);
  return out.flush();
}

Status write_object(Output& out, std::string_view name, std::string_view format,
                    const json::Value& value, const gotemplate::Shape& shape, int json_indent) {
  if (is_json_format(format)) {
    out.line(json::dump(value, json_indent));
    return out.flush();
  }
  RowTemplate row = TRY(RowTemplate::parse(name, format));
  TRY(row.write(out, value, shape));
  return out.flush();
}

Result<RowTemplate> RowTemplate::parse(std::string_view name, std::string_view format) {
  return RowTemplate(TRY(gotemplate::Template::parse(normalize(format), name)),
                     format.starts_with(kTable));
}

Status RowTemplate::write(Output& out, const json::Value& value,
                          const gotemplate::Shape& shape) const {
  std::string text = TRY(parsed_.execute(value, shape));
  out.text(table_ ? align_columns(text) : text);
  return {};
}

Status write_inspect(Output& out, std::string_view format, const json::Array& items,
                     const gotemplate::Shape& shape) {
  constexpr int kIndent = 5;
  if (format.empty() || trim(format) == "json") {
    out.line(json::dump(json::Value(items), kIndent));
    return out.flush();
  }
  gotemplate::Template parsed =
      TRY(gotemplate::Template::parse(ranged(normalize(format)), "inspect"));
  std::string text = TRY(parsed.execute(json::Value(items), shape));
  out.text(format.starts_with(kTable) ? align_columns(text) : text);
  return out.flush();
}

}  // namespace minke::cli
