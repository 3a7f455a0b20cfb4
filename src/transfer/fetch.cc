// fetch: the manifest, and then the layers side by side into files that minke-image reads while
// they grow. Digests of layers are checked there, over the same pass that unpacks them.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "registry/blob.h"
#include "registry/image.h"
#include "sys/fd.h"
#include "sys/socket.h"
#include "transfer/verbs.h"

namespace minke::transfer {
namespace {

using store::LayerNews;
using store::TransferMessage;
using sys::UniqueFd;

constexpr std::size_t kAtOnce = 4;
constexpr std::int64_t kTell = 100'000'000;  // between two messages of progress

struct Source {
  std::unique_ptr<registry::Client> client;
  std::string repository;
  registry::RemoteImage image;
};

// The first place that has it; what the others said goes into the notes, and counts when none has.
Result<Source> find_image(Desk& desk) {
  oci::Platform wanted;
  wanted.os = desk.request.os;
  wanted.architecture = desk.request.architecture;
  wanted.variant = desk.request.variant;
  for (std::size_t i = 0; i < desk.request.hosts.size(); ++i) {
    const store::TransferHost& host = desk.request.hosts[i];
    Source source;
    source.client =
        std::make_unique<registry::Client>(desk.http, access_of(host), retry_of(desk.request));
    source.repository = host.repository;
    auto image =
        registry::get_image(*source.client, host.repository, desk.request.reference, wanted);
    if (image) {
      source.image = std::move(*image);
      return source;
    }
    if (i + 1 == desk.request.hosts.size() || desk.stop) return std::move(image.error());
    TransferMessage note;
    note.kind = "note";
    note.text = concat("mirror ", host.host, "/", host.repository, ": ", image.error().message());
    TRY(desk.tell(note));
  }
  return Error(Errc::internal, "no registry to ask");
}

bool same_file(int fd, int folder, const std::string& name) {
  struct stat open_file {
  }, named{};
  return ::fstat(fd, &open_file) == 0 &&
         ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

// The file that a blob grows in. One that was cut off is gone on with, unless another command is at
// it: then this one has a file of its own.
struct Partial {
  UniqueFd fd;  // with the lock, which ends with the process
  std::string name;
};
Result<Partial> open_partial(const oci::Digest& digest) {
  int folder = store::kTransferFolderFd;
  for (int tries = 0; tries < 10; ++tries) {
    Partial partial;
    partial.name = digest.hex();
    if (tries > 0) partial.name += concat(".", random_hex(4));
    partial.fd = TRY(
        sys::open_beneath(folder, partial.name.c_str(), O_RDWR | O_CREAT | O_NONBLOCK, 0644, true));
    if (::flock(partial.fd.get(), LOCK_EX | LOCK_NB) < 0) continue;
    // Between the two calls it may have become a blob of the store.
    if (same_file(partial.fd.get(), folder, partial.name)) return partial;
    --tries;
  }
  return Error(Errc::internal, concat("blob ", digest.str(), ": its files disappear"));
}

Status send_news(const LayerNews& news, int fd = -1) {
  std::vector<int> fds;
  if (fd >= 0) fds.push_back(fd);
  Status sent = sys::send_message(store::kTransferUnpackerFd,
                                  {reinterpret_cast<const char*>(&news), sizeof news}, fds);
  // It has failed, and says itself why.
  if (!sent && (sent.error().sys() == EPIPE || sent.error().sys() == ECONNRESET))
    return Error(Errc::conflict, "nobody unpacks any more");
  return sent;
}

class Layer {
 public:
  Layer(Desk& desk, Source& source, std::size_t place)
      : desk_(desk),
        source_(source),
        place_(static_cast<std::uint32_t>(place)),
        blob_(source.image.parsed.layers[place]) {}

  Status fetch(std::vector<UniqueFd>* kept, std::mutex* mutex) {
    Partial partial = TRY(open_partial(blob_.digest));
    struct stat st {};
    if (::fstat(partial.fd.get(), &st) < 0) return Error::from_errno(errno, "stat of a download");
    if (st.st_size > blob_.size && ::ftruncate(partial.fd.get(), 0) < 0)
      return Error::from_errno(errno, "truncate a download");
    TransferMessage message = about("layer");
    message.text = partial.name;
    TRY(desk_.tell(message));
    UniqueFd reader =
        TRY(sys::open_beneath(store::kTransferFolderFd, partial.name.c_str(), O_RDONLY, 0, true));
    TRY(send_news({LayerNews::begun, place_, 0}, reader.get()));
    Status done =
        registry::download_blob(*source_.client, source_.repository, blob_, partial.fd.get(),
                                [this](std::uint64_t size) { return grown(size); });
    if (!done) {
      ignore(send_news({LayerNews::failed, place_, 0}), "minke is told the reason");
      return done;
    }
    if (blob_.size == 0) TRY(send_news({LayerNews::grown, place_, 0}));
    TRY(desk_.tell(about("finished")));
    std::lock_guard guard(*mutex);
    kept->push_back(std::move(partial.fd));
    return {};
  }

 private:
  TransferMessage about(const char* kind) const {
    TransferMessage message;
    message.kind = kind;
    message.digest = blob_.digest.str();
    message.total = static_cast<std::uint64_t>(blob_.size);
    return message;
  }
  Status grown(std::uint64_t size) {
    TRY(send_news({LayerNews::grown, place_, size}));
    TimeNs at = now();
    if (at - told_ < kTell) return {};
    told_ = at;
    TransferMessage message = about("progress");
    message.done = size;
    return desk_.tell(message);
  }

  Desk& desk_;
  Source& source_;
  std::uint32_t place_;
  const oci::Descriptor& blob_;
  TimeNs told_ = 0;
};

// Places in the manifest of what minke wants, the largest first: the longest work begins first.
Result<std::vector<std::size_t>> wanted_layers(const oci::Manifest& manifest) {
  TransferMessage answer = TRY(store::receive_transfer_message(store::kTransferControlFd));
  std::vector<std::size_t> places;
  if (answer.kind != "wanted") return places;
  for (const std::string& digest : answer.wanted)
    for (std::size_t i = 0; i < manifest.layers.size(); ++i)
      if (manifest.layers[i].digest.str() == digest) {
        places.push_back(i);
        break;
      }
  return places;
}

}  // namespace

Status fetch(Desk& desk) {
  Source source = TRY(find_image(desk));
  TransferMessage found;
  found.kind = "manifest";
  found.digest = source.image.manifest.digest.str();
  found.manifest = source.image.manifest.json;
  found.media_type = source.image.manifest.media_type;
  found.config = source.image.config_json;
  found.index_digest = source.image.index.str();
  found.signatures = TRY(check_signatures(desk, *source.client, source.repository, found.digest));
  TRY(desk.tell(found));
  std::vector<std::size_t> places = TRY(wanted_layers(source.image.parsed));
  std::vector<UniqueFd> kept;  // locked until minke has put the files where they belong
  std::mutex mutex;
  TRY(in_parallel(places.size(), kAtOnce, &desk.stop, [&](std::size_t i) {
    return Layer(desk, source, places[i]).fetch(&kept, &mutex);
  }));
  TransferMessage done;
  done.kind = "done";
  TRY(desk.tell(done));
  ignore(store::receive_transfer_message(store::kTransferControlFd), "the end of it is waited for");
  return {};
}

}  // namespace minke::transfer
