// What minke and minke-transfer, the confined program that has the network, say to each other: one
// request by a memory file, then messages on a stream socket, each a length of four bytes (host
// order) and JSON. And what minke-transfer tells minke-image of layers that are still growing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "config/policy_json.h"
#include "config/registries_d.h"

namespace minke::store {

// Descriptors of minke-transfer. What a verb does not need is /dev/null.
enum TransferFd : int {
  kTransferRequestFd = 3,
  kTransferControlFd = 4,  // messages, both ways
  // fetch: ROOT/downloads; push: a staging directory, read; download: where the file goes
  kTransferFolderFd = 5,
  kTransferUnpackerFd = 6,  // fetch: LayerNews to minke-image
  kTransferBlobsFd = 7,     // push: ROOT/images/blobs/sha256, read
};

struct TransferClient {  // a certificate with its key
  std::string cert_file, key_file;
};

// A place to ask, in order: mirrors, then the registry itself.
struct TransferHost {
  std::string host, repository;
  bool insecure = false, mirror = false;
  std::string username, password, identity_token;
  std::vector<std::string> ca_files;
  std::vector<TransferClient> clients;
};

struct TransferBlob {  // push
  std::string digest;
  std::uint64_t size = 0;
  bool staged = false;                  // in kTransferFolderFd, else in kTransferBlobsFd
  std::vector<std::string> mount_from;  // repositories of the same registry
};

struct TransferRequest {
  // get     one answer of the registry: `method`, `path`, `accept`, `scope`, `body`; ends with
  //         "answer"
  // fetch   an image: "manifest" and waits for "wanted", then the layers, then "done"
  // push    blobs, then the manifest: "done"
  // download  the file at `path`, an address of the web, as `reference` in kTransferFolderFd:
  // "done"
  //         with its digest and the headers of the answer
  std::string verb;
  std::vector<TransferHost> hosts;  // get, push: one
  std::string reference;            // fetch, push: a tag or a digest
  std::string os, architecture, variant;
  std::uint32_t retries = 3;
  std::int64_t retry_delay_ns = 0;

  std::string method, path, scope, body, content_type;  // get; `path` begins with /
  bool anonymous = false;                               // get: without credentials or a token
  std::vector<std::string> accept;
  std::uint64_t max_body = 4 << 20;

  // fetch: what the image must be signed with, and where its signatures lie.
  std::vector<config::Requirement> requirements;
  config::SignatureStore signatures;
  std::string signed_reference;  // "quay.io/a/b:1", as the user named it in full

  std::vector<TransferBlob> blobs;  // push
  std::string manifest, media_type;
};

struct TransferMessage {
  // To minke: "manifest" "layer" "progress" "finished" "skipped" "answer" "done" "error" "note"
  // To minke-transfer: "wanted" (of fetch: the digests of layers that are to come)
  std::string kind;
  std::string digest;  // manifest, layer, progress, finished, skipped
  std::string text;    // error, note; layer: its name below the folder
  std::uint64_t done = 0, total = 0;
  // manifest
  std::string manifest, media_type, config, index_digest;
  std::vector<std::string> signatures;  // simple ones, in base64, for minke to check
  // answer
  std::int32_t status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  // error
  std::int32_t error_code = 0, error_errno = 0;
  std::vector<std::string> wanted;
};

void bind(json::Binder& b, TransferClient& client);
void bind(json::Binder& b, TransferHost& host);
void bind(json::Binder& b, TransferBlob& blob);
void bind(json::Binder& b, TransferRequest& request);
void bind(json::Binder& b, TransferMessage& message);

Status send_transfer_message(int socket, const TransferMessage& message);
// A message without kind: the other side has gone.
Result<TransferMessage> receive_transfer_message(int socket);

// On the seqpacket socket from minke-transfer to minke-image.
struct LayerNews {
  enum Kind : std::uint32_t {
    begun = 1,  // with a descriptor of the file, open for reading
    grown = 2,  // to `size` bytes
    failed = 3,
  };
  std::uint32_t kind = 0;
  std::uint32_t layer = 0;  // its place in the manifest, the first where it is there twice
  std::uint64_t size = 0;
};

}  // namespace minke::store
