#include "imagework/session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/str.h"
#include "codec/digest.h"
#include "codec/tar_reader.h"
#include "imagework/extract.h"
#include "imagework/source.h"
#include "store/layout.h"

namespace minke::imagework {
namespace {

using sys::DirFd;
using sys::UniqueFd;

// Hashes what passes and writes it to a file, when there is one.
class TeeSource final : public ByteSource {
 public:
  TeeSource(ByteSource& inner, HashKind kind, int file)
      : inner_(inner), hasher_(kind), file_(file) {}
  Result<std::string_view> next() override {
    std::string_view chunk = TRY(inner_.next());
    hasher_.update(chunk);
    size_ += chunk.size();
    if (file_ >= 0 && !chunk.empty()) TRY(sys::write_all(file_, chunk, "blob"));
    return chunk;
  }
  std::string hex() { return hasher_.hex(); }
  std::uint64_t size() const { return size_; }

 private:
  ByteSource& inner_;
  Hasher hasher_;
  int file_;
  std::uint64_t size_ = 0;
};

// A bomb is found while it is being unpacked, not when the disk is full.
class LimitedSource final : public ByteSource {
 public:
  LimitedSource(ByteSource& inner, std::uint64_t limit)
      : inner_(inner), limit_(limit), left_(limit) {}
  Result<std::string_view> next() override {
    std::string_view chunk = TRY(inner_.next());
    if (chunk.size() > left_)
      return Error(Errc::invalid_argument,
                   concat("layer: more than ", limit_, " bytes when unpacked"));
    left_ -= chunk.size();
    return chunk;
  }

 private:
  ByteSource& inner_;
  std::uint64_t limit_, left_;
};

Error digest_mismatch(std::string_view what, std::string_view expected, std::string_view found) {
  return {Errc::corrupt, concat(what, ": digest mismatch: expected ", expected, ", found ", found)};
}

bool exists_at(int dir, const std::string& path) {
  return ::faccessat(dir, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<UniqueFd> make_subdir(int dir, const char* name) {
  if (::mkdirat(dir, name, 0700) < 0)
    return Error::from_errno(errno, concat("staging: mkdir ", name));
  return sys::open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0, true);
}

Status write_file_in(int dir, const std::string& path, std::string_view text) {
  int fd = ::openat(dir, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Error::from_errno(errno, concat("create ", path));
  UniqueFd file(fd);
  return sys::write_all(fd, text, path);
}

}  // namespace

Session::Session(int store, int staging, bool rootless)
    : store_(store), staging_(staging), rootless_(rootless), limits_(limits_from_environment()) {
  auto make = [&](const char* name, UniqueFd* out) -> Status {
    *out = TRY(make_subdir(staging_, name));
    return {};
  };
  std::string blobs(store::kStagedBlobsDir), layers(store::kLayersDir);
  ready_ = make(blobs.c_str(), &blobs_);
  if (ready_) ready_ = make(layers.c_str(), &layers_);
}

std::string Session::temporary_name() {
  std::lock_guard guard(mutex_);
  return concat("tmp-", next_name_++);
}

void Session::add_notes(const std::vector<std::string>& notes) {
  std::lock_guard guard(mutex_);
  for (const std::string& note : notes)
    if (reply_.notes.size() < 100 &&
        std::find(reply_.notes.begin(), reply_.notes.end(), note) == reply_.notes.end())
      reply_.notes.push_back(note);
}

bool Session::has_blob(const oci::Digest& digest) const {
  return exists_at(blobs_.get(), std::string(digest.hex())) ||
         exists_at(store_, concat(store::kBlobsDir, "/", digest.hex()));
}

bool Session::has_layer(const std::string& chain_id) const {
  return exists_at(layers_.get(), chain_id) ||
         exists_at(store_, concat(store::kLayersDir, "/", chain_id, "/", store::kDiffDir));
}

Result<std::int64_t> Session::blob_size(const oci::Digest& digest) const {
  struct stat st {};
  std::string name(digest.hex());
  if (::fstatat(blobs_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0 &&
      ::fstatat(store_, concat(store::kBlobsDir, "/", name).c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("blob ", digest.str()));
  return static_cast<std::int64_t>(st.st_size);
}

Status Session::check_digest(std::string_view bytes, const oci::Digest& expected) const {
  Hasher hasher(expected.algorithm() == "sha512" ? HashKind::sha512 : HashKind::sha256);
  hasher.update(bytes);
  std::string found = hasher.hex();
  if (found != expected.hex()) return digest_mismatch("blob", expected.hex(), found);
  return {};
}

Result<std::string> Session::read_blob(const oci::Digest& digest, std::size_t max) const {
  std::string name(digest.hex());
  auto fd = sys::open_beneath(blobs_.get(), name.c_str(), O_RDONLY, 0, true);
  if (!fd)
    fd = sys::open_beneath(store_, concat(store::kBlobsDir, "/", name).c_str(), O_RDONLY, 0, true);
  if (!fd) return std::move(fd.error()).wrap(concat("blob ", digest.str()));
  std::string bytes = TRY(sys::read_all(fd->get(), max, digest.str()));
  if (sha256_hex(bytes) != digest.hex())
    return digest_mismatch("blob", digest.hex(), sha256_hex(bytes));
  return bytes;
}

Result<oci::Digest> Session::take_blob(std::string_view bytes, const oci::Digest& expected) {
  TRY(std::move(ready_));
  oci::Digest digest = oci::Digest::sha256(sha256_hex(bytes));
  if (!expected.empty() && expected != digest)
    return digest_mismatch("blob", expected.str(), digest.str());
  if (!has_blob(digest)) TRY(write_file_in(blobs_.get(), std::string(digest.hex()), bytes));
  return digest;
}

Status Session::unpack(ByteSource& plain, const std::string& name, Unpacked* out) {
  UniqueFd layer = TRY(make_subdir(layers_.get(), name.c_str()));
  if (::mkdirat(layer.get(), store::kDiffDir, 0755) < 0)
    return Error::from_errno(errno, "staging: mkdir diff");
  UniqueFd diff =
      TRY(sys::open_beneath(layer.get(), store::kDiffDir, O_RDONLY | O_DIRECTORY, 0, true));
  Extractor extractor(diff.get(), rootless_, limits_);
  TarReader reader(plain);
  TarEntry entry;
  while (TRY(reader.next(&entry))) {
    if (failed_.load(std::memory_order_relaxed)) return Error(Errc::internal, "stopped");
    TRY(extractor.apply(entry, reader));
  }
  TRY(extractor.finish());
  TRY(reader.drain());
  if (!extractor.opaque_list().empty())
    TRY(write_file_in(layer.get(), store::kOpaqueFile, extractor.opaque_list()));
  out->name = name;
  out->implied.insert(extractor.implied().begin(), extractor.implied().end());
  out->root_opaque = extractor.root_opaque();
  add_notes(extractor.notes());
  return {};
}

Status Session::take_plain(ByteSource& bytes, const oci::Digest& expected) {
  TRY(std::move(ready_));
  std::string name = temporary_name(), hex(expected.hex());
  UniqueFd blob =
      TRY(sys::open_beneath(blobs_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644, true));
  TeeSource stored(bytes, HashKind::sha256, blob.get());
  while (!TRY(stored.next()).empty()) {
  }
  std::string found = stored.hex();
  if (found != hex) return digest_mismatch("layer", expected.str(), concat("sha256:", found));
  if (::renameat(blobs_.get(), name.c_str(), blobs_.get(), hex.c_str()) < 0)
    return Error::from_errno(errno, concat("blob ", hex));
  return {};
}

Result<LayerBlob> Session::take_layer(ByteSource& bytes, const oci::Digest& expected) {
  return read_layer(bytes, expected, true);
}

Result<LayerBlob> Session::take_arriving_layer(ByteSource& bytes, const oci::Digest& expected) {
  return read_layer(bytes, expected, false);
}

void Session::add_blob_file(const oci::Digest& digest, UniqueFd file) {
  std::lock_guard guard(mutex_);
  blob_files_.insert_or_assign(digest.str(), std::move(file));
}

Result<LayerBlob> Session::read_layer(ByteSource& bytes, const oci::Digest& expected,
                                      bool keep_blob) {
  TRY(std::move(ready_));
  PeekSource peek(bytes);
  Compression compression = detect_compression(TRY(peek.head(kMagicSize)));
  // A manifest can name gzip, zstd and plain only.
  bool keep_plain = compression == Compression::bzip2 || compression == Compression::xz;
  std::string name = temporary_name();
  UniqueFd blob;
  if (keep_blob)
    blob =
        TRY(sys::open_beneath(blobs_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644, true));
  HashKind kind = expected.algorithm() == "sha512" ? HashKind::sha512 : HashKind::sha256;
  bool compressed = compression != Compression::none;
  TeeSource stored(peek, kind, compressed && keep_plain ? -1 : blob.get());
  std::unique_ptr<ByteSource> decompressor = make_decompressor(compression, stored);
  TeeSource plain(*decompressor, HashKind::sha256, keep_plain ? blob.get() : -1);
  // Reading, hashing and decompressing run ahead of the extraction on a thread of their own.
  Unpacked unpacked;
  {
    ByteSource* input = compressed ? static_cast<ByteSource*>(&plain) : &stored;
    LimitedSource bounded(*input, limits_.bytes);
    ThreadedSource ahead(bounded);
    TRY(unpack(ahead, name, &unpacked));
  }
  // Padding after the end of the compressed stream is part of the blob.
  while (!TRY(stored.next()).empty()) {
  }
  LayerBlob layer;
  std::string stored_hex = stored.hex();
  std::string found = concat(kind == HashKind::sha256 ? "sha256:" : "sha512:", stored_hex);
  if (!expected.empty() && found != expected.str())
    return digest_mismatch("layer", expected.str(), found);
  if (kind != HashKind::sha256)
    return Error(Errc::unsupported,
                 concat("layer ", expected.str(), ": only sha256 blobs can be stored"));
  layer.diff_id = compressed ? oci::Digest::sha256(plain.hex()) : oci::Digest::sha256(stored_hex);
  layer.plain_size = static_cast<std::int64_t>(compressed ? plain.size() : stored.size());
  layer.digest = keep_plain ? layer.diff_id : oci::Digest::sha256(stored_hex);
  layer.size = keep_plain ? layer.plain_size : static_cast<std::int64_t>(stored.size());
  layer.compression = keep_plain ? Compression::none : compression;
  unpacked.plain_size = layer.plain_size;
  std::lock_guard guard(mutex_);
  if (keep_blob) {
    std::string hex(layer.digest.hex());
    bool known = exists_at(store_, concat(store::kBlobsDir, "/", hex));
    int rc = known ? ::unlinkat(blobs_.get(), name.c_str(), 0)
                   : ::renameat(blobs_.get(), name.c_str(), blobs_.get(), hex.c_str());
    if (rc < 0) return Error::from_errno(errno, concat("blob ", hex));
  }
  unpacked_.insert_or_assign(layer.diff_id.str(), unpacked);
  blobs_read_.insert_or_assign(layer.digest.str(), layer);
  return layer;
}

Result<LayerBlob> Session::reread_layer(const oci::Digest& digest) {
  if (auto kept = blob_files_.find(digest.str()); kept != blob_files_.end()) {
    struct stat st {};
    if (::fstat(kept->second.get(), &st) < 0) return Error::from_errno(errno, digest.str());
    FdSource file(kept->second.get(), 0, static_cast<std::uint64_t>(st.st_size));
    return read_layer(file, digest, false);
  }
  std::string name(digest.hex());
  auto fd = sys::open_beneath(blobs_.get(), name.c_str(), O_RDONLY, 0, true);
  if (!fd)
    fd = sys::open_beneath(store_, concat(store::kBlobsDir, "/", name).c_str(), O_RDONLY, 0, true);
  if (!fd) return Error(Errc::corrupt, concat("layer ", digest.str(), " is not in the archive"));
  FdSource source(fd->get());
  return read_layer(source, digest, false);
}

bool Session::knows_pair(const oci::Digest& digest, const oci::Digest& diff_id,
                         const std::string& chain_id) const {
  if (!has_layer(chain_id) || !has_blob(digest)) return false;
  if (digest == diff_id) return true;
  auto fd = sys::open_beneath(
      store_, concat(store::kLayersDir, "/", chain_id, "/", store::kBlobFile).c_str(), O_RDONLY, 0,
      true);
  if (!fd) return false;
  auto text = sys::read_all(fd->get(), 256, store::kBlobFile);
  return text && trim(*text) == digest.str();
}

// A layer that is there is not read again; but a blob that says to be its packed form is.
Status Session::check_pair(const oci::Digest& diff_id, const oci::Digest& digest,
                           const std::string& chain_id) {
  if (blobs_read_.contains(digest.str()) || knows_pair(digest, diff_id, chain_id)) return {};
  LayerBlob read = TRY(reread_layer(digest));
  if (read.diff_id != diff_id) return digest_mismatch("layer", diff_id.str(), read.diff_id.str());
  return {};
}

Result<UniqueFd> Session::open_diff(const std::string& chain_id) const {
  std::string path = concat(chain_id, "/", store::kDiffDir);
  auto fd = sys::open_beneath(layers_.get(), path.c_str(), O_RDONLY | O_DIRECTORY, 0, true);
  if (!fd)
    fd = sys::open_beneath(store_, concat(store::kLayersDir, "/", path).c_str(),
                           O_RDONLY | O_DIRECTORY, 0, true);
  return fd;
}

Status Session::place_layer(const oci::Digest& diff_id, const oci::Descriptor& layer,
                            const std::string& chain_id, const std::string& below,
                            PlacedLayer* placed) {
  auto it = unpacked_.find(diff_id.str());
  if (it == unpacked_.end()) {
    // The blob was in the store already, or one layer stands on two others: unpack it once more.
    LayerBlob read = TRY(reread_layer(layer.digest));
    if (read.diff_id != diff_id) return digest_mismatch("layer", diff_id.str(), read.diff_id.str());
    it = unpacked_.find(diff_id.str());
  }
  Unpacked unpacked = it->second;
  unpacked_.erase(it);
  if (!below.empty())
    TRY(write_file_in(layers_.get(), concat(unpacked.name, "/", store::kParentFile),
                      concat(below, "\n")));
  TRY(write_file_in(layers_.get(), concat(unpacked.name, "/", store::kSizeFile),
                    concat(unpacked.plain_size, "\n")));
  TRY(write_file_in(layers_.get(), concat(unpacked.name, "/", store::kBlobFile),
                    concat(layer.digest.str(), "\n")));
  if (::renameat(layers_.get(), unpacked.name.c_str(), layers_.get(), chain_id.c_str()) < 0)
    return Error::from_errno(errno, concat("layer ", chain_id));
  placed->implied = std::move(unpacked.implied);
  placed->root_opaque = unpacked.root_opaque;
  return {};
}

// `below` is topmost first.
Status Session::copy_looks(const std::string& chain_id, const std::vector<std::string>& below,
                           const PlacedLayer& placed) {
  if (placed.implied.empty() && !placed.root_opaque) return {};
  UniqueFd diff = TRY(open_diff(chain_id));
  std::vector<UniqueFd> lower;
  for (const std::string& id : below) {
    UniqueFd root = TRY(open_diff(id));
    lower.push_back(std::move(root));
  }
  // Deepest first: setting a directory's time must come after what is made inside of it.
  for (auto path = placed.implied.rbegin(); path != placed.implied.rend(); ++path) {
    auto mine = sys::open_beneath(diff.get(), path->c_str(), O_RDONLY | O_DIRECTORY, 0, true);
    if (!mine) continue;  // replaced by a later entry
    for (const UniqueFd& root : lower) {
      auto other = sys::open_beneath(root.get(), path->c_str(), O_PATH | O_DIRECTORY, 0, true);
      struct stat st {};
      if (!other || ::fstat(other->get(), &st) < 0) continue;
      timespec times[2] = {st.st_atim, st.st_mtim};
      if (::fchown(mine->get(), st.st_uid, st.st_gid) < 0 ||
          ::fchmod(mine->get(), st.st_mode & 07777) < 0 || ::futimens(mine->get(), times) < 0)
        return Error::from_errno(errno, concat("layer ", chain_id, ": attributes of ", *path));
      break;
    }
  }
  if (!placed.root_opaque) return {};
  // Overlay does not look for an opaque mark on a layer's root: hide each name of the layers below
  // by itself.
  for (const UniqueFd& root : lower) {
    int copy = ::fcntl(root.get(), F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return Error::from_errno(errno, "dup");
    for (const std::string& name : TRY(sys::list_dir(DirFd(UniqueFd(copy))))) {
      if (exists_at(diff.get(), name)) continue;
      if (::mknodat(diff.get(), name.c_str(), S_IFCHR, 0) < 0)
        return Error::from_errno(errno, concat("whiteout of ", name));
    }
  }
  return {};
}

Status Session::finish_image(const oci::Manifest& manifest, std::string_view manifest_json,
                             const oci::ImageConfig& config, std::vector<std::string> names) {
  TRY(std::move(ready_));
  if (config.diff_ids.size() != manifest.layers.size())
    return Error(Errc::corrupt, concat("image: its config names ", config.diff_ids.size(),
                                       " layers, its manifest ", manifest.layers.size()));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    auto read = blobs_read_.find(manifest.layers[i].digest.str());
    if (read != blobs_read_.end() && read->second.diff_id != config.diff_ids[i])
      return digest_mismatch(concat("layer ", i), config.diff_ids[i].str(),
                             read->second.diff_id.str());
    if (config.diff_ids[i].algorithm() != "sha256")
      return Error(Errc::unsupported,
                   concat("layer ", config.diff_ids[i].str(), ": only sha256 is known"));
  }
  std::vector<std::string> chain = store::chain_ids_of(config.diff_ids);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (has_layer(chain[i])) {
      TRY(check_pair(config.diff_ids[i], manifest.layers[i].digest, chain[i]));
      continue;
    }
    PlacedLayer placed;
    TRY(place_layer(config.diff_ids[i], manifest.layers[i], chain[i], i == 0 ? "" : chain[i - 1],
                    &placed));
    std::vector<std::string> below(chain.rend() - static_cast<std::ptrdiff_t>(i), chain.rend());
    TRY(copy_looks(chain[i], below, placed));
  }
  store::WorkerResult result;
  result.manifest.media_type = oci::kMediaManifest;
  result.manifest.digest = TRY(take_blob(manifest_json, {}));
  result.manifest.size = static_cast<std::int64_t>(manifest_json.size());
  result.id = manifest.config.digest.hex();
  result.names = std::move(names);
  reply_.images.push_back(std::move(result));
  return {};
}

Status Session::parallel(std::size_t count, const std::function<Status(std::size_t)>& job) {
  constexpr std::size_t kWorkers = 2;
  std::atomic<std::size_t> next{0};
  std::mutex error_mutex;
  std::optional<Error> first;
  auto run = [&] {
    for (std::size_t i = next++; i < count && !failed_; i = next++) {
      Status done = job(i);
      if (done) continue;
      std::lock_guard guard(error_mutex);
      if (!first) first = std::move(done.error());
      failed_ = true;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(kWorkers, count); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  if (first) return std::move(*first);
  return {};
}

}  // namespace minke::imagework
