// Blobs, down and up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/image.h"
#include "registry/client.h"

namespace minke::registry {

// Config, signature: all of it, checked against its digest and size.
Result<std::string> get_small_blob(Client& client, const std::string& repository,
                                   const oci::Descriptor& blob);

// The blob's bytes behind those that `fd` has, by Range, until the file has `blob.size` of them; a
// cut is gone on from, as often as `retry` allows without a byte in between. `on_grown` gets the
// size of the file each time. The digest is for whoever reads the file.
Status download_blob(Client& client, const std::string& repository, const oci::Descriptor& blob,
                     int fd, const std::function<Status(std::uint64_t size)>& on_grown);

enum class UploadEnd : std::uint8_t { existed, mounted, sent };
struct BlobUpload {
  oci::Digest digest;
  std::uint64_t size = 0;
  int fd = -1;                          // a regular file, from its beginning
  std::vector<std::string> mount_from;  // repositories of the same registry that may have it
  std::function<void(std::uint64_t sent)> on_sent;
};
Result<UploadEnd> upload_blob(Client& client, const std::string& repository,
                              const BlobUpload& upload);
Result<bool> blob_exists(Client& client, const std::string& repository, const oci::Digest& digest);

// `reference`: a tag or the digest.
Status put_manifest(Client& client, const std::string& repository, const std::string& reference,
                    const std::string& json, const std::string& media_type);

}  // namespace minke::registry
