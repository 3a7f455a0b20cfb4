// What minke-image does, one function for each verb of the protocol. All of it runs confined.
#pragma once

#include "base/result.h"
#include "imagework/session.h"
#include "imagework/tree_reader.h"
#include "store/worker_protocol.h"

namespace minke::imagework {

// Which of several images, by its name inside (empty: all), and what it is called then (empty: as
// it is inside).
struct LoadChoice {
  std::string pick, as;
};
// docker-archive or oci-archive from a file or pipe, plain or compressed.
Status load_archive(Session& session, int input, const LoadChoice& choice = {});
// An OCI image layout, or a `dir:` directory as "save --format docker-dir" makes it.
Status load_directory(Session& session, int directory, const LoadChoice& choice = {});
// The layers of one image of the store that are missing, from its blobs.
Status restore_layers(Session& session, const store::WorkerRequest& request);
// An image as a registry is to get it; what changes goes into the staging directory.
Status pack_image(Session& session, const store::WorkerRequest& request);
// An image whose layers minke-transfer is fetching; `news` is its socket.
Status pull_image(Session& session, const store::WorkerRequest& request, int news);
// A root file system as tar: one layer, one image.
Status import_rootfs(Session& session, const store::WorkerRequest& request, int input);
// An archive into `folder`, plain names and all: nothing in it has a meaning beyond its name.
Status unpack_archive(int input, int folder, bool rootless, std::vector<std::string>* notes);
// Images of the store at `store` to the archive or into the directory `output`.
Status save_images(int store, const store::WorkerRequest& request, int output);
// The tree at `root` as tar.
Status write_tree(int root, int output, TreeOptions options, std::vector<std::string>* notes);
// cp: a tree, or an archive, into the tree at `root`.
Status copy_tree(int source, int root, const store::WorkerTree& how,
                 std::vector<std::string>* notes);
Status put_archive(int input, int root, const store::WorkerTree& how,
                   std::vector<std::string>* notes);
// What a container changed, or all of its tree, as the top layer of a new image.
Status commit_tree(Session& session, const store::WorkerRequest& request, int tree, int staging);
// What an overlay's upper folder would be as a layer: its digest and size go into the reply.
Status seal_tree(int tree, int staging, store::WorkerReply* reply);
// An image of layers that are unpacked in the store; their blobs are made where they are missing.
Status assemble_image(Session& session, const store::WorkerRequest& request, int staging);

}  // namespace minke::imagework
