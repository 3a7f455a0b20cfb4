#include "registry/blob.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/str.h"
#include "codec/digest.h"

namespace minke::registry {
namespace {

std::string blob_path(const std::string& repository, const oci::Digest& digest) {
  return concat("/v2/", repository, "/blobs/", digest.str());
}
std::vector<std::string> pull_scope(const std::string& repository) {
  return {concat("repository:", repository, ":pull")};
}
std::vector<std::string> push_scope(const std::string& repository) {
  return {concat("repository:", repository, ":pull,push")};
}

Error too_long(const oci::Descriptor& blob) {
  return {Errc::corrupt, concat("more bytes than the ", blob.size, " that the manifest names")};
}

// The file that a blob grows in: small pieces are gathered, and told of when they are written.
class GrowingFile {
 public:
  GrowingFile(int fd, std::uint64_t size, const std::function<Status(std::uint64_t)>& on_grown)
      : fd_(fd), size_(size), on_grown_(on_grown) {
    buffer_.reserve(kBuffer);
  }
  std::uint64_t size() const { return size_ + buffer_.size(); }
  Status add(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) TRY(flush());
    buffer_ += bytes;
    return {};
  }
  Status flush() {
    if (buffer_.empty()) return {};
    for (std::string_view rest = buffer_; !rest.empty();) {
      ssize_t n = ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(size_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error::from_errno(errno, "write of a blob");
      size_ += static_cast<std::uint64_t>(n);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    buffer_.clear();
    return on_grown_(size_);
  }

 private:
  static constexpr std::size_t kBuffer = 256 << 10;
  int fd_;
  std::uint64_t size_;
  std::string buffer_;
  const std::function<Status(std::uint64_t)>& on_grown_;
};

// Where the bytes of this answer begin.
Result<std::uint64_t> start_of(const HttpResponse& answer, std::uint64_t asked,
                               std::uint64_t total) {
  if (answer.status == 206) {
    // "bytes 100-199/200"
    std::string range = answer.header("content-range");
    auto parts = split_once(range, '-');
    std::string_view first = parts ? parts->first : std::string_view();
    if (first.starts_with("bytes ")) first.remove_prefix(6);
    auto start = parse_uint(trim(first));
    if (!start || *start > asked)
      return Error(Errc::corrupt, concat("the answer has another part than the one asked for: ",
                                         quote(range.substr(0, 100))));
    return *start;
  }
  if (auto length = parse_uint(answer.header("content-length")); length && *length != total)
    return Error(Errc::corrupt,
                 concat("the registry has ", *length, " bytes, the manifest says ", total));
  return std::uint64_t{0};
}

}  // namespace

Result<std::string> get_small_blob(Client& client, const std::string& repository,
                                   const oci::Descriptor& blob) {
  std::string what = concat("reading blob ", blob.digest.str());
  HttpRequest request;
  request.url = blob_path(repository, blob.digest);
  request.max_body = static_cast<std::size_t>(blob.size);
  HttpResponse answer = TRY_CTX(client.send(std::move(request), pull_scope(repository)), what);
  if (answer.status != 200) return Client::fault_of(answer).wrap(what);
  Hasher hasher(blob.digest.algorithm() == "sha512" ? HashKind::sha512 : HashKind::sha256);
  hasher.update(answer.body);
  std::string found = hasher.hex();
  if (found != blob.digest.hex())
    return Error(Errc::corrupt, concat(what, ": digest mismatch: expected ", blob.digest.str(),
                                       ", found ", blob.digest.algorithm(), ":", found));
  return std::move(answer.body);
}

Status download_blob(Client& client, const std::string& repository, const oci::Descriptor& blob,
                     int fd, const std::function<Status(std::uint64_t size)>& on_grown) {
  std::string what = concat("reading blob ", blob.digest.str());
  auto total = static_cast<std::uint64_t>(blob.size);
  struct stat st {};
  if (::fstat(fd, &st) < 0) return Error::from_errno(errno, what);
  GrowingFile file(fd, static_cast<std::uint64_t>(st.st_size), on_grown);
  if (file.size() > 0) TRY(on_grown(file.size()));
  std::uint32_t vain = 0;  // tries since the last byte
  while (file.size() < total) {
    std::uint64_t before = file.size(), passed = 0;
    HttpRequest request;
    request.url = blob_path(repository, blob.digest);
    if (before > 0) request.headers.push_back(concat("Range: bytes=", before, "-"));
    request.on_head = [&](const HttpResponse& answer) -> Status {
      passed = before - TRY(start_of(answer, before, total));
      return {};
    };
    request.on_body = [&](std::string_view bytes) -> Status {
      // A server that does not know ranges begins at the beginning.
      std::size_t known = std::min<std::uint64_t>(passed, bytes.size());
      passed -= known;
      bytes.remove_prefix(known);
      if (bytes.size() > total - file.size()) return too_long(blob);
      return file.add(bytes);
    };
    auto answer = client.send(std::move(request), pull_scope(repository));
    TRY_CTX(file.flush(), what);
    if (file.size() > before) vain = 0;
    if (answer && answer->status / 100 != 2) return Client::fault_of(*answer).wrap(what);
    if (file.size() == total) break;
    bool cut = answer || answer.error().code() == Errc::unavailable ||
               answer.error().code() == Errc::timeout;
    if (!cut || !client.wait_to_retry(vain++, nullptr)) {
      if (answer) return Error(Errc::unavailable, concat(what, ": unexpected EOF"));
      return std::move(answer.error()).wrap(what);
    }
  }
  return {};
}

Result<bool> blob_exists(Client& client, const std::string& repository, const oci::Digest& digest) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = blob_path(repository, digest);
  std::string what = concat("checking whether a blob ", digest.str(), " exists in ",
                            client.access().host, "/", repository);
  HttpResponse answer = TRY_CTX(client.send(std::move(request), push_scope(repository)), what);
  if (answer.status == 200) return true;
  if (answer.status == 404) return false;
  return Client::fault_of(answer).wrap(what);
}

namespace {

// Asks for a place to send the blob to; empty when the registry has taken it from another
// repository.
Result<std::string> begin_upload(Client& client, const std::string& repository,
                                 const oci::Digest& digest, const std::string& mount_from) {
  HttpRequest request;
  request.method = "POST";
  request.url = concat("/v2/", repository, "/blobs/uploads/");
  std::vector<std::string> scopes = push_scope(repository);
  if (!mount_from.empty()) {
    request.url += concat("?mount=", url_escape(digest.str()), "&from=", url_escape(mount_from));
    scopes.push_back(concat("repository:", mount_from, ":pull"));
  }
  HttpResponse answer = TRY(client.send(std::move(request), scopes));
  if (answer.status == 201 && !mount_from.empty()) return std::string();
  if (answer.status != 202)
    return Client::fault_of(answer).wrap(concat("initiating layer upload to /v2/", repository,
                                                "/blobs/uploads/ in ", client.access().host));
  std::string location = TRY(resolve_url(answer.url, answer.header("location")));
  return location;
}

// An upload once it has a place: the bytes, then the digest that makes a blob of them.
class Upload {
 public:
  Upload(Client& client, const std::string& repository, const BlobUpload& blob)
      : client_(client), repository_(repository), blob_(blob) {}

  bool has_place() const { return !location_.empty(); }
  std::uint64_t arrived() const { return at_; }
  void begin_at(std::string location) {
    location_ = std::move(location);
    at_ = 0;
  }

  Status send() {
    if (at_ < blob_.size || blob_.size == 0) TRY(send_bytes());
    HttpRequest put;
    put.method = "PUT";
    put.url = concat(location_, location_.find('?') == location_.npos ? "?" : "&",
                     "digest=", url_escape(blob_.digest.str()));
    put.headers.push_back("Content-Type: application/octet-stream");
    HttpResponse answer =
        TRY_CTX(client_.send(std::move(put), push_scope(repository_)), "uploading layer");
    if (answer.status != 201 && answer.status != 204)
      return Client::fault_of(answer).wrap(concat("uploading layer to ", client_.access().host));
    return {};
  }

  // What of it has arrived, as the registry says; where it does not, the place is given up.
  void find_out_what_arrived() {
    HttpRequest ask;
    ask.url = std::exchange(location_, {});
    std::uint64_t before = std::exchange(at_, 0);
    auto answer = client_.send(std::move(ask), push_scope(repository_));
    if (!answer || answer->status != 204) return;
    // "0-99"; "0-0" is nothing, or one byte.
    std::string range = answer->header("range");
    auto parts = split_once(range, '-');
    std::uint64_t last = parts ? parse_uint(trim(parts->second)).value_or(0) : 0;
    auto location = resolve_url(answer->url, answer->header("location"));
    if (last == 0 || last < before || last >= blob_.size || !location) return;
    location_ = std::move(*location);
    at_ = last + 1;
  }

 private:
  Status send_bytes() {
    HttpRequest patch;
    patch.method = "PATCH";
    patch.url = location_;
    patch.headers.push_back("Content-Type: application/octet-stream");
    if (at_ > 0) patch.headers.push_back(concat("Content-Range: ", at_, "-", blob_.size - 1));
    patch.file = {blob_.fd, at_, blob_.size - at_};
    if (blob_.on_sent) patch.on_sent = [this](std::uint64_t sent) { blob_.on_sent(at_ + sent); };
    HttpResponse answer =
        TRY_CTX(client_.send(std::move(patch), push_scope(repository_)), "uploading layer chunked");
    if (answer.status != 202 && answer.status != 201 && answer.status != 204)
      return Client::fault_of(answer).wrap("uploading layer chunked");
    if (std::string next = answer.header("location"); !next.empty())
      location_ = TRY(resolve_url(answer.url, next));
    return {};
  }

  Client& client_;
  const std::string& repository_;
  const BlobUpload& blob_;
  std::string location_;
  std::uint64_t at_ = 0;
};

}  // namespace

Result<UploadEnd> upload_blob(Client& client, const std::string& repository,
                              const BlobUpload& upload) {
  std::string what = concat("writing blob ", upload.digest.str());
  bool there = TRY_CTX(blob_exists(client, repository, upload.digest),
                       concat("trying to reuse blob ", upload.digest.str(), " at destination"));
  if (there) return UploadEnd::existed;
  Upload sending(client, repository, upload);
  for (const std::string& other : upload.mount_from) {
    // No right to read there, or not there any more: the blob itself goes.
    auto begun = begin_upload(client, repository, upload.digest, other);
    if (!begun) continue;
    if (begun->empty()) return UploadEnd::mounted;
    sending.begin_at(std::move(*begun));
    break;
  }
  std::uint64_t most = 0;           // that ever arrived
  for (std::uint32_t vain = 0;;) {  // tries since then
    if (!sending.has_place())
      sending.begin_at(TRY_CTX(begin_upload(client, repository, upload.digest, ""), what));
    std::uint64_t before = sending.arrived();
    Status sent = sending.send();
    if (sent) return UploadEnd::sent;
    // What is gone on with may have lost its end or have it twice: then it is no good as a whole.
    Errc code = sent.error().code();
    bool again = code == Errc::unavailable || code == Errc::timeout || code == Errc::not_found ||
                 (before > 0 && code == Errc::io);
    if (!again || !client.wait_to_retry(vain++, nullptr)) return std::move(sent.error()).wrap(what);
    // Its last answer may be what was lost.
    auto arrived = blob_exists(client, repository, upload.digest);
    if (arrived && *arrived) return UploadEnd::sent;
    if (code == Errc::io)
      sending.begin_at("");
    else
      sending.find_out_what_arrived();
    if (sending.arrived() > most) vain = 0;
    most = std::max(most, sending.arrived());
  }
}

Status put_manifest(Client& client, const std::string& repository, const std::string& reference,
                    const std::string& json, const std::string& media_type) {
  HttpRequest request;
  request.method = "PUT";
  request.url = concat("/v2/", repository, "/manifests/", reference);
  request.headers.push_back(concat("Content-Type: ", media_type));
  request.body = json;
  std::string what = concat("writing manifest: uploading manifest ", reference, " to ",
                            client.access().host, "/", repository);
  HttpResponse answer = TRY_CTX(client.send(std::move(request), push_scope(repository)), what);
  if (answer.status != 201 && answer.status != 200 && answer.status != 202)
    return Client::fault_of(answer).wrap(what);
  return {};
}

}  // namespace minke::registry
