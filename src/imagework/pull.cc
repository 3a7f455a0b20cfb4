// pull: layers that are still arriving. minke-transfer writes them into files and tells how far
// they are; they are hashed, decompressed and unpacked from there behind it.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "base/str.h"
#include "imagework/verbs.h"
#include "store/transfer_protocol.h"
#include "sys/socket.h"

namespace minke::imagework {
namespace {

using store::LayerNews;
using sys::UniqueFd;

// What is known of the files so far.
class LayerFeed {
 public:
  explicit LayerFeed(int socket) : socket_(socket), reader_([this] { read_news(); }) {}
  ~LayerFeed() {
    ::shutdown(socket_, SHUT_RDWR);
    reader_.join();
  }
  LayerFeed(const LayerFeed&) = delete;

  struct View {
    int fd = -1;
    std::uint64_t size = 0;
  };
  // Waits until the file of `layer` has more than `past` bytes.
  Result<View> wait(std::uint32_t layer, std::uint64_t past) {
    std::unique_lock lock(mutex_);
    for (;;) {
      const File& file = files_[layer];
      if (file.fd && file.size > past && !stopped_) return View{file.fd.get(), file.size};
      if (stopped_ || ended_ || file.failed)
        return Error(Errc::unavailable, "the transfer has ended early");
      changed_.wait(lock);
    }
  }
  void stop() {
    std::lock_guard guard(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  UniqueFd take(std::uint32_t layer) {
    std::lock_guard guard(mutex_);
    return std::move(files_[layer].fd);
  }

 private:
  struct File {
    UniqueFd fd;
    std::uint64_t size = 0;
    bool failed = false;
  };
  void read_news() {
    for (;;) {
      auto message = sys::receive_message(socket_);
      LayerNews news;
      bool good = message && message->data.size() == sizeof news;
      if (good) std::memcpy(&news, message->data.data(), sizeof news);
      std::lock_guard guard(mutex_);
      if (good) {
        File& file = files_[news.layer];
        if (news.kind == LayerNews::begun && message->fds.size() == 1 && !file.fd)
          file.fd = std::move(message->fds[0]);
        if (news.kind == LayerNews::grown) file.size = std::max(file.size, news.size);
        if (news.kind == LayerNews::failed) file.failed = true;
      } else {
        ended_ = true;
      }
      changed_.notify_all();
      if (!good) return;
    }
  }

  int socket_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint32_t, File> files_;
  bool ended_ = false, stopped_ = false;
  std::thread reader_;
};

class GrowingSource final : public ByteSource {
 public:
  GrowingSource(LayerFeed& feed, std::uint32_t layer, std::uint64_t total)
      : feed_(feed), layer_(layer), total_(total), buffer_(256 << 10) {}
  Result<std::string_view> next() override {
    if (at_ == total_) return std::string_view();
    LayerFeed::View view = TRY(feed_.wait(layer_, at_));
    std::uint64_t there = std::min(view.size, total_) - at_;
    ssize_t n;
    do {
      n = ::pread(view.fd, buffer_.data(), std::min<std::uint64_t>(there, buffer_.size()),
                  static_cast<off_t>(at_));
    } while (n < 0 && errno == EINTR);
    if (n < 0) return Error::from_errno(errno, "read of a download");
    if (n == 0) return Error(Errc::corrupt, "a download has become shorter");
    at_ += static_cast<std::uint64_t>(n);
    return std::string_view(buffer_.data(), static_cast<std::size_t>(n));
  }

 private:
  LayerFeed& feed_;
  std::uint32_t layer_;
  std::uint64_t total_, at_ = 0;
  std::vector<char> buffer_;
};

Result<std::uint32_t> place_of(const oci::Manifest& manifest, const std::string& digest) {
  for (std::size_t i = 0; i < manifest.layers.size(); ++i)
    if (manifest.layers[i].digest.str() == digest) return static_cast<std::uint32_t>(i);
  return Error(Errc::internal, concat("layer ", digest, " is not of this image"));
}

}  // namespace

Status pull_image(Session& session, const store::WorkerRequest& request, int news) {
  if (request.images.size() != 1) return Error(Errc::internal, "pull: not one image");
  oci::Manifest manifest = TRY(oci::parse_manifest(request.base_manifest));
  TRY_CTX(session.check_digest(request.base_manifest, request.images[0].manifest), "manifest");
  TRY_CTX(session.take_blob(request.config_json, manifest.config.digest), "config");
  oci::ImageConfig config = TRY(oci::parse_image_config(request.config_json));
  std::vector<std::uint32_t> places;
  for (const std::string& digest : request.wanted) {
    std::uint32_t place = TRY(place_of(manifest, digest));
    places.push_back(place);
  }
  LayerFeed feed(news);
  auto job = [&](std::size_t n) -> Status {
    const oci::Descriptor& layer = manifest.layers[places[n]];
    GrowingSource source(feed, places[n], static_cast<std::uint64_t>(layer.size));
    auto blob = session.take_arriving_layer(source, layer.digest);
    if (!blob) {
      feed.stop();
      return std::move(blob.error());
    }
    session.add_blob_file(layer.digest, feed.take(places[n]));
    return {};
  };
  TRY(session.parallel(places.size(), job));
  return session.finish_image(manifest, request.base_manifest, config, request.images[0].names);
}

}  // namespace minke::imagework
