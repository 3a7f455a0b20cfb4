// push: every blob that the registry has not, then the manifest.
#include <sys/stat.h>

#include <utility>

#include "base/str.h"
#include "base/time.h"
#include "registry/blob.h"
#include "sys/fd.h"
#include "transfer/verbs.h"

namespace minke::transfer {
namespace {

using store::TransferMessage;

constexpr std::size_t kAtOnce = 3;
constexpr std::int64_t kTell = 100'000'000;

Status push_blob(Desk& desk, registry::Client& client, const store::TransferBlob& blob) {
  registry::BlobUpload upload;
  upload.digest = TRY(oci::Digest::parse(blob.digest));
  upload.mount_from = blob.mount_from;
  int folder = blob.staged ? store::kTransferFolderFd : store::kTransferBlobsFd;
  sys::UniqueFd fd = TRY_CTX(
      sys::open_beneath(folder, std::string(upload.digest.hex()).c_str(), O_RDONLY, 0, true),
      concat("blob ", blob.digest));
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("blob ", blob.digest));
  upload.fd = fd.get();
  upload.size = static_cast<std::uint64_t>(st.st_size);
  TransferMessage message;
  message.digest = blob.digest;
  message.total = upload.size;
  TimeNs told = 0;
  bool begun = false;  // told only of what travels: most may be there already
  auto begin = [&] {
    if (std::exchange(begun, true)) return;
    message.kind = "layer";
    ignore(desk.tell(message), "the end of minke ends this process too");
  };
  upload.on_sent = [&](std::uint64_t sent) {
    begin();
    TimeNs at = now();
    if (at - told < kTell) return;
    told = at;
    message.kind = "progress";
    message.done = sent;
    ignore(desk.tell(message), "the end of minke ends this process too");
  };
  registry::UploadEnd end =
      TRY(registry::upload_blob(client, desk.request.hosts[0].repository, upload));
  if (end == registry::UploadEnd::sent) begin();
  message.done = 0;
  message.kind = end == registry::UploadEnd::sent ? "finished" : "skipped";
  message.text = end == registry::UploadEnd::mounted ? "mounted" : "";
  return desk.tell(message);
}

}  // namespace

Status push(Desk& desk) {
  registry::Client client(desk.http, access_of(desk.request.hosts[0]), retry_of(desk.request));
  TRY(client.ping());
  TRY(in_parallel(desk.request.blobs.size(), kAtOnce, &desk.stop,
                  [&](std::size_t i) { return push_blob(desk, client, desk.request.blobs[i]); }));
  TRY(registry::put_manifest(client, desk.request.hosts[0].repository, desk.request.reference,
                             desk.request.manifest, desk.request.media_type));
  TransferMessage done;
  done.kind = "done";
  return desk.tell(done);
}

}  // namespace minke::transfer
