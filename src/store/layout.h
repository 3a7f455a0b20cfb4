// Names of files and directories of the layout on disk (docs/formats), for the store and for
// minke-image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/image.h"

namespace minke::store {

constexpr int kLayoutVersion = 1;

// Below ROOT and below a staging directory alike.
constexpr std::string_view kLayersDir = "layers";
constexpr std::string_view kBlobsDir = "images/blobs/sha256";  // of ROOT
constexpr std::string_view kStagedBlobsDir = "blobs";          // of a staging directory
// Blobs that are on their way: by digest, gone on with after a cut; moved to the blobs when
// verified.
constexpr std::string_view kDownloadsDir = "downloads";  // of ROOT

// Inside of layers/CHAINID.
constexpr const char* kDiffDir = "diff";
constexpr const char* kParentFile = "parent";  // the chain id below; missing for the lowest layer
constexpr const char* kSizeFile = "size";      // bytes of the plain tar, decimal
constexpr const char* kBlobFile = "blob";      // the digest of the blob that it was unpacked from
// Only while staged: directories that hide what is below, one path after the other, each ended by
// NUL. Marking them needs CAP_SYS_ADMIN on the host, which the worker does not have.
constexpr const char* kOpaqueFile = "opaque";

// Annotations of the descriptors in index.json.
constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kImageId = "io.minke.image.id";      // hex of the config's digest
constexpr const char* kImageSize = "io.minke.image.size";  // Image::size, decimal

// Of an image list: when it was made (RFC 3339), and where those of its images that are not here
// were taken from, as a JSON object of digests and references.
constexpr const char* kListCreated = "org.opencontainers.image.created";
constexpr const char* kListSources = "io.minke.list.sources";

// "docker": made as an image of Docker's format; what is stored is OCI's all the same, which every
// reader of a layout knows.
constexpr const char* kImageFormat = "io.minke.image.format";
// The digest of the list that it was pulled by; a name with that digest is one of the image too.
constexpr const char* kIndexDigest = "io.minke.image.index.digest";

constexpr const char* kOciLayout = R"({"imageLayoutVersion":"1.0.0"})";

// The chain ids (hex) of layers with these diff ids, bottom first: the name of a layer on top of
// all below it.
std::vector<std::string> chain_ids_of(const std::vector<oci::Digest>& diff_ids);

}  // namespace minke::store
