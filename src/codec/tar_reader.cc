#include "codec/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/str.h"

namespace minke {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;

// A field of the header: offset and size as in tar(5).
struct Field {
  std::size_t at, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12},
    kMtime{136, 12}, kChecksum{148, 8}, kLink{157, 100}, kMagic{257, 8}, kMajor{329, 8},
    kMinor{337, 8}, kPrefix{345, 155}, kStarPrefix{345, 131}, kStarTrailer{508, 4},
    kGnuSparse{386, 96}, kGnuExtended{482, 1}, kGnuRealSize{483, 12}, kGnuMoreExtended{504, 1};
constexpr std::size_t kType = 156;

std::string_view raw(const char* block, Field f) { return {block + f.at, f.size}; }

std::string_view text_of(const char* block, Field f) {
  std::string_view text = raw(block, f);
  return text.substr(0, text.find('\0'));
}

Error bad(std::string_view what) { return {Errc::corrupt, concat("tar: ", what)}; }
Error truncated() { return bad("unexpected end of the archive"); }

// Octal text, or GNU's base-256 (two's complement below the marker bit). Empty is 0.
std::optional<std::int64_t> number_of(std::string_view field) {
  auto first = static_cast<unsigned char>(field.empty() ? 0 : field[0]);
  if ((first & 0x80) != 0) {
    // At most 12 bytes, so it cannot overflow; bit 7 of the first is the marker, bit 6 the sign.
    __int128 value = (first & 0x40) != 0 ? -1 : 0;
    value = (value << 6) | (first & 0x3f);
    for (char c : field.substr(1)) value = (value << 8) | static_cast<unsigned char>(c);
    if (value > INT64_MAX || value < INT64_MIN) return {};
    return static_cast<std::int64_t>(value);
  }
  std::size_t begin = field.find_first_not_of(std::string_view(" \0", 2));
  if (begin == std::string_view::npos) return 0;
  std::size_t end = field.find_first_of(std::string_view(" \0", 2), begin);
  auto value =
      parse_uint(field.substr(begin, end == std::string_view::npos ? end : end - begin), 8);
  if (!value || *value > INT64_MAX) return {};
  return static_cast<std::int64_t>(*value);
}

std::optional<std::uint64_t> unsigned_of(std::string_view field) {
  auto value = number_of(field);
  if (!value || *value < 0) return {};
  return static_cast<std::uint64_t>(*value);
}

bool checksum_right(const char* block) {
  auto wanted = number_of(raw(block, kChecksum));
  std::int64_t plain = 0, with_sign = 0;  // old tars summed signed chars
  for (std::size_t i = 0; i < kBlock; ++i) {
    bool in_field = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    char c = in_field ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  return wanted && (*wanted == plain || *wanted == with_sign);
}

bool all_zero(const char* block) {
  return block[0] == '\0' && std::memcmp(block, block + 1, kBlock - 1) == 0;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  auto value = parse_uint(text);
  if (!value || *value > kMaxSize) return {};
  return value;
}

// "1350244992.023960108": nanoseconds; more digits are cut off.
std::optional<TimeNs> pax_time(std::string_view text) {
  bool negative = text.starts_with("-");
  if (negative) text.remove_prefix(1);
  std::string_view whole = text, fraction;
  if (auto parts = split_once(text, '.')) {
    whole = parts->first;
    fraction = parts->second.substr(0, 9);
  }
  auto seconds = parse_uint(whole);
  if (!seconds || *seconds > 9'000'000'000U) return {};
  std::int64_t ns = 0;
  if (!fraction.empty()) {
    auto digits = parse_uint(fraction);
    if (!digits) return {};
    ns = static_cast<std::int64_t>(*digits);
    for (std::size_t i = fraction.size(); i < 9; ++i) ns *= 10;
  }
  TimeNs time = static_cast<TimeNs>(*seconds) * kSecond + ns;
  return negative ? -time : time;
}

TimeNs header_time(std::int64_t seconds) {
  return std::clamp<std::int64_t>(seconds, -9'000'000'000, 9'000'000'000) * kSecond;
}

bool has_data(char type) { return type == '0' || type == '\0' || type == '7' || type == 'S'; }

struct TypeRow {
  char flag;
  TarEntry::Type type;
};
constexpr TypeRow kTypes[] = {
    {'0', TarEntry::Type::file},        {'\0', TarEntry::Type::file},
    {'7', TarEntry::Type::file},        {'S', TarEntry::Type::file},
    {'1', TarEntry::Type::hard_link},   {'2', TarEntry::Type::symlink},
    {'3', TarEntry::Type::char_device}, {'4', TarEntry::Type::block_device},
    {'5', TarEntry::Type::directory},   {'6', TarEntry::Type::fifo},
};

}  // namespace

// What pax headers and GNU's long names say about the entry that follows them.
struct TarReader::Pax {
  std::optional<std::string> path, link;
  std::optional<std::uint64_t> size, uid, gid, real_size;
  std::optional<TimeNs> mtime, atime;
  std::vector<std::pair<std::string, std::string>> xattrs;
  bool sparse = false, map_in_data = false;
  std::vector<TarEntry::Extent> extents;
  std::optional<std::uint64_t> extent_offset;  // of format 0.0, waiting for its size
};

Status TarReader::fill() {
  if (!chunk_.empty() || source_ended_) return {};
  chunk_ = TRY(source_.next());
  source_ended_ = chunk_.empty();
  return {};
}

// 512, or 0 at a clean end.
Result<std::size_t> TarReader::read_block(char* block) {
  std::size_t have = 0;
  while (have < kBlock) {
    TRY(fill());
    if (source_ended_) {
      if (have == 0) return std::size_t{0};
      return truncated();
    }
    std::size_t n = std::min(kBlock - have, chunk_.size());
    std::memcpy(block + have, chunk_.data(), n);
    chunk_.remove_prefix(n);
    have += n;
  }
  offset_ += kBlock;
  return kBlock;
}

Status TarReader::skip(std::uint64_t count) {
  offset_ += count;
  while (count != 0) {
    if (chunk_.empty() && source_.skip(count)) return {};
    TRY(fill());
    if (source_ended_) return truncated();
    std::size_t n = std::min<std::uint64_t>(count, chunk_.size());
    chunk_.remove_prefix(n);
    count -= n;
  }
  return {};
}

Status TarReader::skip_rest() {
  std::uint64_t rest = data_left_ + padding_;
  data_left_ = padding_ = 0;
  return skip(rest);
}

Result<std::string> TarReader::read_special(std::uint64_t size) {
  if (size > limits_.header_bytes)
    return bad(concat("an extended header of ", size, " bytes, at most ", limits_.header_bytes));
  std::string text;
  text.reserve(size);
  while (text.size() < size) {
    TRY(fill());
    if (source_ended_) return truncated();
    std::size_t n = std::min<std::uint64_t>(size - text.size(), chunk_.size());
    text.append(chunk_.substr(0, n));
    chunk_.remove_prefix(n);
  }
  offset_ += size;
  TRY(skip((kBlock - size % kBlock) % kBlock));
  return text;
}

// Records "LENGTH KEY=VALUE\n"; an empty value takes an earlier one back.
Status TarReader::parse_pax(std::string_view text, Pax* pax) const {
  while (!text.empty()) {
    std::size_t blank = text.find(' ');
    auto length =
        blank == std::string_view::npos ? std::nullopt : parse_uint(text.substr(0, blank));
    if (!length || *length <= blank + 1 || *length > text.size() || text[*length - 1] != '\n')
      return bad("a malformed pax record");
    std::string_view record = text.substr(blank + 1, *length - blank - 2);
    text.remove_prefix(*length);
    auto parts = split_once(record, '=');
    if (!parts || parts->first.empty()) return bad("a malformed pax record");
    auto [key, value] = *parts;
    auto set_number = [value = value](std::optional<std::uint64_t>* field) {
      if (value.empty()) return field->reset(), true;
      *field = decimal(value);
      return field->has_value();
    };
    auto set_text = [value = value](std::optional<std::string>* field) {
      if (value.empty()) return field->reset(), true;
      *field = value;
      return value.find('\0') == std::string_view::npos;
    };
    auto set_time = [value = value](std::optional<TimeNs>* field) {
      if (value.empty()) return field->reset(), true;
      *field = pax_time(value);
      return field->has_value();
    };
    bool good = true;
    constexpr std::string_view kXattr = "SCHILY.xattr.";
    if (key == "path") {
      good = set_text(&pax->path);
    } else if (key == "linkpath") {
      good = set_text(&pax->link);
    } else if (key == "size") {
      good = set_number(&pax->size);
    } else if (key == "uid") {
      good = set_number(&pax->uid);
    } else if (key == "gid") {
      good = set_number(&pax->gid);
    } else if (key == "mtime") {
      good = set_time(&pax->mtime);
    } else if (key == "atime") {
      good = set_time(&pax->atime);
    } else if (key.starts_with(kXattr)) {
      key.remove_prefix(kXattr.size());
      good = !key.empty() && key.find('\0') == std::string_view::npos;
      std::erase_if(pax->xattrs, [key = key](const auto& x) { return x.first == key; });
      pax->xattrs.emplace_back(key, value);
      if (pax->xattrs.size() > 1024) return bad("more than 1024 extended attributes on one entry");
    } else if (key == "GNU.sparse.major") {
      pax->sparse = true;
      pax->map_in_data = value != "0";
      good = value == "0" || value == "1";
    } else if (key == "GNU.sparse.minor") {
      good = value == "0" || value == "1";
    } else if (key == "GNU.sparse.name") {
      good = set_text(&pax->path);
    } else if (key == "GNU.sparse.size" || key == "GNU.sparse.realsize") {
      pax->sparse = true;
      good = set_number(&pax->real_size);
    } else if (key == "GNU.sparse.offset") {
      good = set_number(&pax->extent_offset);
    } else if (key == "GNU.sparse.numbytes") {
      std::optional<std::uint64_t> bytes;
      good = set_number(&bytes) && bytes && pax->extent_offset;
      if (good) pax->extents.push_back({*pax->extent_offset, *bytes});
      pax->extent_offset.reset();
    } else if (key == "GNU.sparse.map") {
      pax->sparse = true;
      auto numbers = split(value, ',');
      good = numbers.size() % 2 == 0;
      for (std::size_t i = 0; good && i + 1 < numbers.size(); i += 2) {
        auto at = decimal(numbers[i]), bytes = decimal(numbers[i + 1]);
        good = at && bytes;
        if (good) pax->extents.push_back({*at, *bytes});
      }
    }
    if (!good) return bad(concat("a bad value in the pax record ", quote(key.substr(0, 100))));
  }
  return {};
}

Status TarReader::check_extents(const TarEntry& entry) const {
  std::uint64_t end = 0, sum = 0;
  for (const TarEntry::Extent& extent : entry.extents) {
    if (extent.offset < end || extent.size > entry.size || extent.offset > entry.size - extent.size)
      return bad(
          concat("a sparse map that is out of order, in ", quote(entry.path.substr(0, 200))));
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  if (sum != data_left_)
    return bad(concat("a sparse map of ", sum, " bytes for ", data_left_, " bytes of data, in ",
                      quote(entry.path.substr(0, 200))));
  return {};
}

Status TarReader::read_old_sparse_map(const char* block, TarEntry* entry) {
  auto real_size = unsigned_of(raw(block, kGnuRealSize));
  if (!real_size || *real_size > kMaxSize) return bad("a bad size of a sparse file");
  entry->size = *real_size;
  auto add = [&](std::string_view pairs) -> Status {
    for (; pairs.size() >= 24; pairs.remove_prefix(24)) {
      if (pairs[0] == '\0') break;
      auto at = unsigned_of(pairs.substr(0, 12)), bytes = unsigned_of(pairs.substr(12, 12));
      if (!at || !bytes) return bad("a bad sparse map");
      if (entry->extents.size() >= limits_.sparse_extents)
        return bad("too many extents in a sparse file");
      entry->extents.push_back({*at, *bytes});
    }
    return {};
  };
  TRY(add(raw(block, kGnuSparse)));
  char more[kBlock];
  bool extended = block[kGnuExtended.at] != '\0';
  while (extended) {
    if (TRY(read_block(more)) == 0) return truncated();
    TRY(add(std::string_view(more, 504)));
    extended = more[kGnuMoreExtended.at] != '\0';
  }
  return {};
}

// Format 1.0: decimal numbers, one to a line, in whole blocks in front of the data.
Status TarReader::read_new_sparse_map(TarEntry* entry) {
  std::string text;
  std::size_t used = 0;
  auto number = [&]() -> Result<std::uint64_t> {
    for (;;) {
      std::size_t newline = text.find('\n', used);
      if (newline != std::string::npos) {
        auto value = decimal(std::string_view(text).substr(used, newline - used));
        if (!value) return bad("a bad sparse map");
        used = newline + 1;
        return *value;
      }
      if (text.size() - used > 32) return bad("a bad sparse map");
      text.erase(0, used);
      used = 0;
      if (data_left_ < kBlock) return bad("a sparse map longer than its file");
      char block[kBlock];
      if (TRY(read_block(block)) == 0) return truncated();
      data_left_ -= kBlock;
      text.append(block, kBlock);
    }
  };
  std::uint64_t count = TRY(number());
  if (count > limits_.sparse_extents) return bad("too many extents in a sparse file");
  for (std::uint64_t i = 0; i < count; ++i) {
    TarEntry::Extent extent;
    extent.offset = TRY(number());
    extent.size = TRY(number());
    entry->extents.push_back(extent);
  }
  return {};
}

Status TarReader::read_header(const char* block, const Pax& pax, TarEntry* entry) {
  char flag = block[kType];
  const TypeRow* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeRow& r) { return r.flag == flag; });
  if (row == std::end(kTypes))
    return bad(concat("an entry of the unknown type ", quote(std::string_view(&flag, 1))));
  entry->type = row->type;
  entry->path = text_of(block, kName);
  entry->link = text_of(block, kLink);
  using namespace std::string_view_literals;
  std::string_view magic = raw(block, kMagic);
  bool gnu = magic == "ustar  \0"sv, ustar = !gnu && magic.starts_with("ustar");
  if (ustar) {
    bool star = raw(block, kStarTrailer) == "tar\0"sv;
    std::string_view prefix = text_of(block, star ? kStarPrefix : kPrefix);
    if (!prefix.empty()) entry->path = concat(prefix, "/", entry->path);
  }
  auto mode = unsigned_of(raw(block, kMode));
  auto uid = unsigned_of(raw(block, kUid)), gid = unsigned_of(raw(block, kGid));
  auto size = unsigned_of(raw(block, kSize));
  auto mtime = number_of(raw(block, kMtime));
  auto major = gnu || ustar ? unsigned_of(raw(block, kMajor)) : 0,
       minor = gnu || ustar ? unsigned_of(raw(block, kMinor)) : 0;
  if (!mode || (!uid && !pax.uid) || (!gid && !pax.gid) || (!size && !pax.size) || !mtime ||
      !major || !minor)
    return bad(concat("a bad number in the header of ", quote(entry->path.substr(0, 200))));
  if (pax.path) entry->path = *pax.path;
  if (pax.link) entry->link = *pax.link;
  entry->mode = static_cast<std::uint32_t>(*mode & 07777);
  entry->uid = pax.uid.value_or(uid.value_or(0));
  entry->gid = pax.gid.value_or(gid.value_or(0));
  entry->mtime = pax.mtime.value_or(header_time(*mtime));
  entry->atime = pax.atime.value_or(0);
  entry->has_atime = pax.atime.has_value();
  if (*major > UINT32_MAX || *minor > UINT32_MAX) return bad("a bad device number");
  entry->major = static_cast<std::uint32_t>(*major);
  entry->minor = static_cast<std::uint32_t>(*minor);
  entry->xattrs = pax.xattrs;
  std::uint64_t stored = pax.size.value_or(size.value_or(0));
  if (stored > kMaxSize) return bad(concat("a bad size of ", quote(entry->path.substr(0, 200))));
  // Links and folders of some tools carry the size of what they point to; no data follows (as Go's
  // reader has it).
  data_left_ = has_data(flag) ? stored : 0;
  padding_ = (kBlock - data_left_ % kBlock) % kBlock;
  entry->size = data_left_;
  // Before pax a folder was a file whose name ends in a slash.
  if (entry->type == TarEntry::Type::file && flag != 'S' && entry->path.ends_with('/') &&
      data_left_ == 0)
    entry->type = TarEntry::Type::directory;
  if (flag == 'S') {
    entry->sparse = true;
    TRY(read_old_sparse_map(block, entry));
  } else if (pax.sparse && entry->type == TarEntry::Type::file) {
    entry->sparse = true;
    if (!pax.real_size) return bad("a sparse file without its size");
    entry->size = *pax.real_size;
    entry->extents = pax.extents;
    if (pax.map_in_data) TRY(read_new_sparse_map(entry));
  }
  if (entry->sparse) TRY(check_extents(*entry));
  return {};
}

Result<bool> TarReader::next(TarEntry* entry) {
  *entry = TarEntry();
  TRY(skip_rest());
  Pax pax;
  if (!global_pax_.empty()) TRY(parse_pax(global_pax_, &pax));
  char block[kBlock];
  for (std::size_t specials = 0;; ++specials) {
    if (specials > limits_.special_headers) return bad("too many extended headers in a row");
    if (TRY(read_block(block)) == 0 || all_zero(block)) {
      if (specials != 0) return truncated();
      return false;
    }
    if (!checksum_right(block)) return bad("wrong checksum of a header");
    char flag = block[kType];
    if (std::strchr("xXgLKV", flag) == nullptr || flag == '\0') break;
    auto size = unsigned_of(raw(block, kSize));
    if (!size) return bad("a bad size of an extended header");
    std::string text = TRY(read_special(*size));
    if (flag == 'x' || flag == 'X') {
      TRY(parse_pax(text, &pax));
    } else if (flag == 'g') {
      global_pax_ = text;
      TRY(parse_pax(text, &pax));
    } else if (flag == 'L' || flag == 'K') {
      text.resize(std::min(text.size(), text.find('\0')));
      (flag == 'L' ? pax.path : pax.link) = std::move(text);
    }
  }
  TRY(read_header(block, pax, entry));
  position_ = 0;
  extent_ = 0;
  sparse_ = entry->sparse;
  extents_ = entry->extents;
  return true;
}

Result<TarReader::Piece> TarReader::data() {
  if (data_left_ == 0) return Piece{};
  TRY(fill());
  if (source_ended_) return truncated();
  std::uint64_t room = data_left_;
  Piece piece{position_, {}};
  if (sparse_) {
    while (extent_ < extents_.size() && position_ == extents_[extent_].size) {
      ++extent_;
      position_ = 0;
    }
    if (extent_ == extents_.size()) return bad("more data than the sparse map has");
    room = extents_[extent_].size - position_;
    piece.offset = extents_[extent_].offset + position_;
  }
  std::size_t n = std::min<std::uint64_t>(room, chunk_.size());
  piece.bytes = chunk_.substr(0, n);
  chunk_.remove_prefix(n);
  position_ += n;
  data_left_ -= n;
  offset_ += n;
  return piece;
}

Status TarReader::drain() {
  chunk_ = {};
  while (!source_ended_) {
    TRY(fill());
    chunk_ = {};
  }
  return {};
}

}  // namespace minke
