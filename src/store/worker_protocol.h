// What minke and minke-image say to each other: one request by a memory file, one reply by a pipe,
// both JSON.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/image.h"

namespace minke::store {

// Descriptors of the worker, in the order of SpawnOptions::pass_fds. What a verb does not need is
// /dev/null.
enum WorkerFd : int {
  kRequestFd = 3,  // the request, a memory file
  kReplyFd = 4,    // the reply, a pipe
  kStoreFd = 5,    // ROOT, a directory
  kStagingFd = 6,  // the staging directory; the lock on it lives in this description; of unpack,
                   // the folder
  kDataFd = 7,  // the archive to read or write; the layout's or the output's directory; the root of
                // an export
};

struct WorkerImage {  // of save
  oci::Digest manifest;
  std::vector<std::string> names, chain_ids;
};
struct WorkerRequest {
  std::string verb;  // load, load-dir, import, save, export, unpack
  bool rootless = false;
  std::string format;               // save: docker-archive, oci-archive, oci-dir, docker-dir
  bool compress = false;            // save docker-dir
  std::vector<WorkerImage> images;  // save
  std::string name, message, architecture, os, variant;  // import
  std::string created;                                   // import: RFC 3339
  std::string config_json;                               // import: "config" of the image config
};
struct WorkerResult {  // one image
  oci::Descriptor manifest;
  std::string id;
  std::vector<std::string> names;
};
struct WorkerReply {
  bool done = false;  // false with no error: the worker was cut off
  std::string error;
  std::int32_t error_code = 0, error_errno = 0;
  std::vector<WorkerResult> images;
  std::vector<std::string> notes;  // for the debug level
};

void bind(json::Binder& b, WorkerImage& image);
void bind(json::Binder& b, WorkerRequest& request);
void bind(json::Binder& b, WorkerResult& result);
void bind(json::Binder& b, WorkerReply& reply);

}  // namespace minke::store
