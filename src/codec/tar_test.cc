#include <gtest/gtest.h>

#include "base/str.h"
#include "codec/tar_reader.h"
#include "codec/tar_writer.h"

namespace minke {
namespace {

class StringSink final : public ByteSink {
 public:
  Status write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string text;
};

struct Read {
  TarEntry entry;
  std::string data;  // holes as zeros
};

Result<std::vector<Read>> read_tar(std::string_view bytes, std::size_t step = SIZE_MAX,
                                   TarLimits limits = {}) {
  MemorySource source(bytes, step);
  TarReader reader(source, limits);
  std::vector<Read> out;
  Read item;
  while (TRY(reader.next(&item.entry))) {
    item.data.assign(
        item.entry.type == TarEntry::Type::file && item.entry.size < 1 << 20 ? item.entry.size : 0,
        '\0');
    for (;;) {
      TarReader::Piece piece = TRY(reader.data());
      if (piece.bytes.empty()) break;
      if (piece.offset + piece.bytes.size() > item.data.size())
        return Error(Errc::internal, "beyond the end");
      item.data.replace(piece.offset, piece.bytes.size(), piece.bytes);
    }
    out.push_back(item);
  }
  TRY(reader.drain());
  return out;
}

TarEntry file_entry(std::string path, std::uint64_t size) {
  TarEntry e;
  e.path = std::move(path);
  e.size = size;
  e.mode = 0644;
  return e;
}

TEST(Tar, RoundTripOfEverything) {
  StringSink sink;
  TarWriter writer(sink);
  TarEntry a = file_entry("dir/file", 700);
  a.mode = 04755;
  a.uid = 3'000'000'000;
  a.gid = 5;
  a.mtime = 1'700'000'000'123'456'789;
  a.xattrs = {{"user.x", std::string("a\0=\n", 4)}, {"security.capability", "cap"}};
  ASSERT_TRUE(writer.add(a).ok());
  ASSERT_TRUE(writer.data(std::string(700, 'q')).ok());
  TarEntry b;
  b.type = TarEntry::Type::symlink;
  b.path = concat(std::string(90, 'd'), "/", std::string(90, 'e'));
  b.link = std::string(300, 'l');
  ASSERT_TRUE(writer.add(b).ok());
  TarEntry c;
  c.type = TarEntry::Type::char_device;
  c.path = concat(std::string(255, 'n'), "/", std::string(255, 'm'));
  c.major = 10;
  c.minor = 200;
  c.mtime = -1'500'000'000;
  ASSERT_TRUE(writer.add(c).ok());
  TarEntry s = file_entry("sparse", 1 << 19);
  s.sparse = true;
  s.extents = {{4096, 3}, {100'000, 5}};
  ASSERT_TRUE(writer.add(s).ok());
  ASSERT_TRUE(writer.data("abcHELLO").ok());
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_EQ(sink.text.size() % 512, 0U);
  for (std::size_t step : {std::size_t{1}, std::size_t{511}, std::size_t{512}, SIZE_MAX}) {
    auto read = read_tar(sink.text, step);
    ASSERT_TRUE(read.ok()) << read.error().message();
    ASSERT_EQ(read->size(), 4U);
    const TarEntry& e = (*read)[0].entry;
    EXPECT_EQ(e.path, a.path);
    EXPECT_EQ(e.mode, a.mode);
    EXPECT_EQ(e.uid, a.uid);
    EXPECT_EQ(e.mtime, a.mtime);
    EXPECT_EQ(e.xattrs, a.xattrs);
    EXPECT_EQ((*read)[0].data, std::string(700, 'q'));
    EXPECT_EQ((*read)[1].entry.path, b.path);
    EXPECT_EQ((*read)[1].entry.link, b.link);
    EXPECT_EQ((*read)[2].entry.path, c.path);
    EXPECT_EQ((*read)[2].entry.minor, 200U);
    EXPECT_EQ((*read)[2].entry.mtime, c.mtime);
    EXPECT_EQ((*read)[3].entry.path, "sparse");
    EXPECT_EQ((*read)[3].data.substr(4096, 4), std::string("abc\0", 4));
    EXPECT_EQ((*read)[3].data.substr(100'000, 5), "HELLO");
    EXPECT_EQ((*read)[3].entry.size, std::uint64_t{1} << 19);
  }
}

std::string one_file(std::string_view pax_records, std::string_view data = "") {
  StringSink sink;
  TarWriter writer(sink);
  std::string out;
  if (!pax_records.empty()) {
    TarEntry x = file_entry("pax", pax_records.size());
    EXPECT_TRUE(writer.add(x).ok());
    EXPECT_TRUE(writer.data(pax_records).ok());
    // Turn the file into a pax header, and its sum right.
    auto sum = [](std::string& t) {
      t.replace(148, 8, "        ");
      unsigned n = 0;
      for (std::size_t i = 0; i < 512; ++i) n += static_cast<unsigned char>(t[i]);
      t.replace(148, 8, format("%06o", n) + std::string("\0 ", 2));
    };
    sink.text[156] = 'x';
    sum(sink.text);
  }
  EXPECT_TRUE(writer.add(file_entry("f", data.size())).ok());
  EXPECT_TRUE(writer.data(data).ok());
  EXPECT_TRUE(writer.finish().ok());
  return sink.text;
}

std::string record(std::string_view key, std::string_view value) {
  std::size_t n = key.size() + value.size() + 3, length = n + 1;
  while (n + concat(length).size() > length) ++length;
  return concat(length, " ", key, "=", value, "\n");
}

TEST(Tar, RefusesHostileHeaders) {
  using namespace std::string_view_literals;
  const std::string bad[] = {
      record("size", "-1"),
      record("size", "99999999999999999999"),
      record("size", "1x"),
      "5 a=b\n\n",
      "x",
      "9999 a=b\n",
      "0 a=b\n",
      "6 =bb\n",
      record("path", "a\0b"sv),
      record("uid", "x"),
      record("mtime", "x"),
      record("SCHILY.xattr.", "x"),
      record("GNU.sparse.map", "1"),
      record("GNU.sparse.size", "100") + record("GNU.sparse.map", "0,200"),
      record("GNU.sparse.size", "100") + record("GNU.sparse.map", "50,10,0,10"),
      record("GNU.sparse.size", "100") + record("GNU.sparse.map", "0,18446744073709551615"),
      record("GNU.sparse.numbytes", "5"),
      record("GNU.sparse.major", "7"),
      record("GNU.sparse.major", "1") + record("GNU.sparse.realsize", "5")};
  for (const std::string& records : bad)
    EXPECT_FALSE(read_tar(one_file(records, "0123456789")).ok()) << records;
}

TEST(Tar, BoundsExtendedHeaders) {
  EXPECT_FALSE(read_tar(one_file(record("comment", std::string(2 << 20, 'x')))).ok());
  std::string many;
  for (int i = 0; i < 2000; ++i) many += record(concat("SCHILY.xattr.user.", i), "v");
  EXPECT_FALSE(read_tar(one_file(many)).ok());
  std::string chain = one_file(record("comment", "x"));
  std::string header = chain.substr(0, 1024), all;
  for (int i = 0; i < 100; ++i) all += header;
  EXPECT_FALSE(read_tar(all + chain).ok());
}

TEST(Tar, DamagedStreams) {
  std::string good = one_file("", "data");
  EXPECT_TRUE(read_tar(good).ok());
  EXPECT_FALSE(read_tar(good.substr(0, 515)).ok());
  EXPECT_FALSE(read_tar(good.substr(0, 100)).ok());
  EXPECT_TRUE(read_tar(good.substr(0, 1024)).ok());  // no end mark, as some tools leave it
  std::string flipped = good;
  flipped[0] ^= 1;
  EXPECT_FALSE(read_tar(flipped).ok());
  EXPECT_FALSE(read_tar(std::string(2000, 'x')).ok());
  auto empty = read_tar("");
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(empty->empty());
}

}  // namespace
}  // namespace minke
