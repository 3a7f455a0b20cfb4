#include "codec/tar_writer.h"

#include <cstdio>
#include <cstring>
#include <string>

#include "base/str.h"

namespace minke {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxOctal7 = 07777777, kMaxOctal11 = 077777777777;
constexpr char kZeros[kBlock] = {};

std::size_t padding_of(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

char type_flag(TarEntry::Type type) {
  constexpr char kFlags[] = {'0', '1', '2', '3', '4', '5', '6'};
  return kFlags[static_cast<int>(type)];
}

// "LENGTH KEY=VALUE\n" where LENGTH counts itself.
void add_record(std::string* pax, std::string_view key, std::string_view value) {
  std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + concat(length).size() > length) ++length;
  *pax += concat(length, " ", key, "=", value, "\n");
}

std::string pax_seconds(TimeNs time) {
  std::int64_t whole = time / kSecond, ns = time % kSecond;
  bool negative = time < 0;
  std::string text =
      format("%s%lld.%09lld", negative ? "-" : "", std::llabs(whole), std::llabs(ns));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

class Header {
 public:
  void put(std::size_t at, std::string_view text) {
    std::memcpy(block_ + at, text.data(), text.size());
  }
  void octal(std::size_t at, int digits, std::uint64_t value) {
    put(at, format("%0*llo", digits, static_cast<unsigned long long>(value)));
  }
  // name (100) and prefix (155), split at a slash; false when it does not fit.
  bool put_path(std::string_view path) {
    if (path.size() <= 100) return put(0, path), true;
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      std::size_t rest = path.size() - slash - 1;
      if (slash == 0 || slash > 155 || rest > 100 || rest == 0) continue;
      put(345, path.substr(0, slash));
      put(0, path.substr(slash + 1));
      return true;
    }
    put(0, path.substr(path.size() - 100));
    return false;
  }
  std::string_view seal() {
    using namespace std::string_view_literals;
    put(257,
        "ustar\0"
        "00"sv);
    put(148, "        ");
    unsigned sum = 0;
    for (char c : block_) sum += static_cast<unsigned char>(c);
    octal(148, 6, sum);
    put(154, "\0 "sv);
    return {block_, kBlock};
  }
  void type(char flag) { block_[156] = flag; }

 private:
  char block_[kBlock] = {};
};

}  // namespace

Status TarWriter::end_entry() {
  if (data_left_ != 0) return Error(Errc::internal, "tar: an entry got less data than it said");
  if (padding_ != 0) TRY(sink_.write({kZeros, padding_}));
  padding_ = 0;
  return {};
}

Status TarWriter::add(const TarEntry& entry) {
  TRY(end_entry());
  Header header;
  std::string pax, map;
  std::uint64_t size = entry.type == TarEntry::Type::file ? entry.size : 0;
  std::string path = entry.path;
  if (entry.sparse) {
    map = concat(entry.extents.size(), "\n");
    size = 0;
    for (const TarEntry::Extent& extent : entry.extents) {
      map += concat(extent.offset, "\n", extent.size, "\n");
      size += extent.size;
    }
    map.resize(map.size() + padding_of(map.size()));
    add_record(&pax, "GNU.sparse.major", "1");
    add_record(&pax, "GNU.sparse.minor", "0");
    add_record(&pax, "GNU.sparse.name", entry.path);
    add_record(&pax, "GNU.sparse.realsize", concat(entry.size));
    path = concat("GNUSparseFile.0/", entry.path.substr(entry.path.rfind('/') + 1));
    data_left_ = size;
    size += map.size();
  } else {
    data_left_ = size;
  }
  padding_ = padding_of(data_left_);
  if (!header.put_path(path)) add_record(&pax, "path", path);
  if (entry.link.size() <= 100)
    header.put(157, entry.link);
  else
    add_record(&pax, "linkpath", entry.link);
  auto number = [&](std::size_t at, int digits, std::uint64_t max, std::uint64_t value,
                    const char* key) {
    if (value > max) add_record(&pax, key, concat(value));
    header.octal(at, digits, value > max ? 0 : value);
  };
  header.octal(100, 7, entry.mode & 07777);
  number(108, 7, kMaxOctal7, entry.uid, "uid");
  number(116, 7, kMaxOctal7, entry.gid, "gid");
  number(124, 11, kMaxOctal11, size, "size");
  bool plain_time = entry.mtime >= 0 && entry.mtime % kSecond == 0;
  if (!plain_time) add_record(&pax, "mtime", pax_seconds(entry.mtime));
  header.octal(136, 11, entry.mtime < 0 ? 0 : static_cast<std::uint64_t>(entry.mtime / kSecond));
  if (entry.type == TarEntry::Type::char_device || entry.type == TarEntry::Type::block_device) {
    if (entry.major > kMaxOctal7 || entry.minor > kMaxOctal7)
      return Error(Errc::unsupported,
                   concat("tar: the device number of ", quote(entry.path), " is too large"));
    header.octal(329, 7, entry.major);
    header.octal(337, 7, entry.minor);
  }
  for (const auto& [name, value] : entry.xattrs)
    add_record(&pax, concat("SCHILY.xattr.", name), value);
  header.type(type_flag(entry.type));
  if (!pax.empty()) {
    Header extended;
    extended.put_path(concat("PaxHeaders.0/", path.substr(path.rfind('/') + 1)).substr(0, 100));
    extended.octal(100, 7, 0644);
    extended.octal(108, 7, 0);
    extended.octal(116, 7, 0);
    extended.octal(124, 11, pax.size());  // without the padding that is added below
    extended.octal(136, 11, 0);
    extended.type('x');
    pax.resize(pax.size() + padding_of(pax.size()));
    TRY(sink_.write(extended.seal()));
    TRY(sink_.write(pax));
  }
  TRY(sink_.write(header.seal()));
  if (!map.empty()) TRY(sink_.write(map));
  return {};
}

Status TarWriter::data(std::string_view bytes) {
  if (bytes.size() > data_left_)
    return Error(Errc::internal, "tar: an entry got more data than it said");
  data_left_ -= bytes.size();
  return sink_.write(bytes);
}

Status TarWriter::finish() {
  TRY(end_entry());
  TRY(sink_.write({kZeros, kBlock}));
  return sink_.write({kZeros, kBlock});
}

}  // namespace minke
