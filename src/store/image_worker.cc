#include "store/image_worker.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "store/changes.h"
#include "store/layout.h"
#include "store/worker_run.h"
#include "sys/lock.h"

namespace minke::store {
namespace {

using sys::UniqueFd;

// Runs a verb that fills a staging directory, and commits what it made. `prepare` puts more than
// the request there; `check` is asked before anything becomes visible.
struct StagedWork {
  std::function<Status(Staging&)> prepare;
  std::function<Status()> check;
  std::string format = {};  // kImageFormat of what is made
};
Result<LoadResult> run_and_commit(const Store& store, WorkerRequest request, int data,
                                  const StagedWork& work = {}) {
  request.rootless = store.rootless();
  sys::DirFd root = TRY(sys::open_dir(store.root()));
  TRY(store.clear_abandoned());
  Staging staging = TRY(store.stage(request.verb));
  if (work.prepare) TRY(work.prepare(staging));
  // Without O_PATH: the worker's lock on it is the one that we hold, so both must end before it is
  // abandoned.
  WorkerReply reply = TRY(run_worker(request, {root.get(), staging.lock_fd(), data, -1}));
  failpoint("store.load", 0);
  NewContent content;
  LoadResult result;
  for (WorkerResult& image : reply.images) {
    if (!work.format.empty()) image.manifest.annotations[kImageFormat] = work.format;
    content.images.push_back({image.manifest, image.names});
    result.image_ids.push_back(image.id);
    if (image.names.empty()) result.names.push_back(image.id);
    result.names.insert(result.names.end(), image.names.begin(), image.names.end());
  }
  if (work.check) TRY(work.check());
  Store writable = store;
  TRY(writable.commit(staging, content));
  return result;
}

const char* format_name(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::docker_archive:
      return "docker-archive";
    case ArchiveFormat::oci_archive:
      return "oci-archive";
    case ArchiveFormat::oci_dir:
      return "oci-dir";
    case ArchiveFormat::docker_dir:
      return "docker-dir";
  }
  return "";
}

}  // namespace

Result<LoadResult> load_archive(const Store& store, int input_fd, const std::string& directory,
                                const std::string& pick, const std::string& as) {
  WorkerRequest request;
  request.pick = pick;
  request.name = as;
  request.verb = directory.empty() ? "load" : "load-dir";
  if (directory.empty()) return run_and_commit(store, std::move(request), input_fd);
  sys::DirFd dir = TRY(sys::open_dir(directory));
  return run_and_commit(store, std::move(request), dir.get());
}

Result<Staging> pack_image(const Store& store, const Image& image, const PackRequest& how,
                           std::string* manifest_json) {
  WorkerRequest request;
  request.verb = "pack";
  request.rootless = store.rootless();
  request.format = how.docker ? "v2s2" : "oci";
  request.packing = {how.compression, how.level, how.force};
  request.images.emplace_back().manifest = image.manifest_descriptor.digest;
  sys::DirFd root = TRY(sys::open_dir(store.root()));
  TRY(store.clear_abandoned());
  Staging staging = TRY(store.stage("pack"));
  WorkerReply reply = TRY(run_worker(request, {root.get(), staging.lock_fd(), -1, -1}));
  if (reply.images.size() != 1) return Error(Errc::internal, "the image worker made no image");
  *manifest_json = TRY(sys::read_small_file(
      concat(staging.path(), "/", kStagedBlobsDir, "/", reply.images[0].manifest.digest.hex())));
  return staging;
}

Status restore_layers(const Store& store, const Image& image) {
  WorkerRequest request;
  request.verb = "restore";
  WorkerImage& wanted = request.images.emplace_back();
  wanted.manifest = image.manifest_descriptor.digest;
  TRY(run_and_commit(store, std::move(request), -1));
  return {};
}

Result<std::string> import_rootfs(const Store& store, const ImportRequest& request) {
  WorkerRequest worker;
  worker.verb = "import";
  if (!request.name.empty()) {
    oci::Reference ref = TRY(oci::Reference::parse(request.name));
    if (!ref.digest.empty())
      return Error(Errc::invalid_argument, concat(request.name, ": tag by digest not supported"));
    worker.name = ref.normalized("localhost").str();
  }
  oci::ImageProcessConfig config;
  TRY(apply_changes(request.changes, &config));
  worker.config_json = json::dump_struct(config);
  oci::Platform host = oci::host_platform();
  worker.architecture = request.architecture.empty() ? host.architecture : request.architecture;
  worker.os = request.os.empty() ? host.os : request.os;
  worker.variant = request.variant;
  worker.message = request.message.empty() ? "imported from tarball" : request.message;
  // The age of the file, as Podman has it: importing it twice gives the same image.
  TimeNs created = now();
  struct stat st {};
  if (::fstat(request.input_fd, &st) == 0 && S_ISREG(st.st_mode))
    created = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
  worker.created = format_rfc3339(created, -1, true);
  LoadResult result = TRY(run_and_commit(store, std::move(worker), request.input_fd));
  if (result.image_ids.empty()) return Error(Errc::internal, "the image worker made no image");
  return result.image_ids[0];
}

Status save_images(const Store& store, const SaveRequest& request) {
  WorkerRequest worker;
  worker.verb = "save";
  worker.rootless = store.rootless();
  worker.format = format_name(request.format);
  worker.compress = request.compress;
  for (std::size_t i = 0; i < request.images.size(); ++i) {
    WorkerImage image;
    image.manifest = request.images[i].manifest_descriptor.digest;
    image.chain_ids = request.images[i].chain_ids;
    if (i < request.names.size()) image.names = request.names[i];
    worker.images.push_back(std::move(image));
  }
  sys::DirFd root = TRY(sys::open_dir(store.root()));
  bool directory =
      request.format == ArchiveFormat::oci_dir || request.format == ArchiveFormat::docker_dir;
  if (!directory) {
    TRY(run_worker(worker, {root.get(), -1, request.output_fd, -1}));
    return {};
  }
  TRY(sys::ensure_dir_at(sys::DirFd::cwd(), request.output_dir.c_str(), 0755));
  sys::DirFd output = TRY(sys::open_dir(request.output_dir));
  TRY(run_worker(worker, {root.get(), -1, output.get(), -1}));
  return {};
}

Status unpack_archive(const Store& store, int input_fd, int folder_fd) {
  WorkerRequest worker;
  worker.verb = "unpack";
  worker.rootless = store.rootless();
  TRY(run_worker(worker, {-1, folder_fd, input_fd, -1}));
  return {};
}

Result<std::string> commit_tree(const Store& store, const CommitRequest& request) {
  WorkerRequest worker;
  worker.verb = "commit";
  worker.name = request.name;
  worker.config_json = oci::dump_image_config(request.config);
  if (request.base != nullptr) worker.base_manifest = request.base->manifest_json;
  worker.layer = request.base != nullptr;
  worker.tree.read_as = request.read_as;
  StagedWork work;
  work.prepare = [&](Staging& staging) {
    return sys::write_file(concat(staging.path(), "/", kOpaqueFile), request.opaque, 0600);
  };
  work.check = request.check;
  if (request.docker) work.format = "docker";
  LoadResult result = TRY(run_and_commit(store, std::move(worker), request.tree_fd, work));
  if (result.image_ids.empty()) return Error(Errc::internal, "the image worker made no image");
  return result.image_ids[0];
}

namespace {

// The digest of a tar without entries: what RUN true changes.
constexpr std::string_view kEmptyTar =
    "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
constexpr std::int64_t kEmptyTarSize = 1024;

// Its digest, by the worker unless there is nothing in it.
Result<WorkerReply> measure_layer(const Store& store, const Staging& staging, int tree,
                                  const std::string& opaque) {
  WorkerReply reply;
  int copy = TRY(sys::duplicate(tree)).release();
  if (TRY(sys::list_dir(sys::DirFd(UniqueFd(copy)))).empty()) {
    reply.diff_id = oci::Digest::sha256(kEmptyTar);
    reply.size = kEmptyTarSize;
    return reply;
  }
  WorkerRequest request;
  request.verb = "seal";
  request.rootless = store.rootless();
  TRY(sys::write_file(concat(staging.path(), "/", kOpaqueFile), opaque, 0600));
  return run_worker(request, {-1, staging.lock_fd(), tree, -1});
}

// Into its place among the layers, unless it is there already. Under the index's lock: who collects
// has either seen the step that needs it, or is done before it is there.
Status place_layer(const Store& store, const std::string& from, const std::string& chain_id) {
  UniqueFd file = TRY(sys::open(store.root() + "/images/lock", O_RDWR | O_CREAT, 0600));
  sys::FileLock lock =
      TRY(sys::FileLock::acquire(std::move(file), sys::LockMode::exclusive, "the image index"));
  std::string place = concat(store.root(), "/", kLayersDir, "/", chain_id);
  if (is_lost(place)) TRY(store.move_to_trash(place));
  Status moved = sys::rename_at(sys::DirFd::cwd(), from.c_str(), sys::DirFd::cwd(), place.c_str(),
                                RENAME_NOREPLACE);
  if (!moved && moved.error().sys() == EEXIST) return {};
  return moved;
}

}  // namespace

Result<CachedStep> seal_layer(const Store& store, const SealRequest& request) {
  Staging staging = TRY(store.stage("layer"));
  UniqueFd tree = TRY(sys::open(request.upper, O_RDONLY | O_DIRECTORY));
  WorkerReply layer = TRY(measure_layer(store, staging, tree.get(), request.opaque));
  CachedStep step = request.step;
  std::vector<oci::Digest> diff_ids = request.below;
  diff_ids.push_back(layer.diff_id);
  std::vector<std::string> chain = chain_ids_of(diff_ids);
  step.diff_id = layer.diff_id;
  step.chain_id = chain.back();
  step.size = layer.size;
  std::string dir = staging.path() + "/new";
  TRY(sys::make_dir_at(sys::DirFd::cwd(), dir.c_str(), 0700));
  TRY(sys::rename_at(sys::DirFd::cwd(), request.upper.c_str(), sys::DirFd::cwd(),
                     concat(dir, "/", kDiffDir).c_str()));
  if (chain.size() > 1)
    TRY(sys::write_file(concat(dir, "/", kParentFile), chain[chain.size() - 2] + "\n", 0644));
  TRY(sys::write_file(concat(dir, "/", kSizeFile), concat(layer.size, "\n"), 0644));
  TRY(mark_unsynced(dir));
  failpoint("build.seal", 1);  // whole, in staging
  if (!step.key.empty()) TRY(StepCache(store.root()).put(step));
  failpoint("build.seal", 2);  // the step names a layer that is not there
  TRY(place_layer(store, dir, step.chain_id));
  failpoint("build.seal", 3);
  return step;
}

Result<std::string> assemble_image(const Store& store, const AssembleRequest& request) {
  WorkerRequest worker;
  worker.verb = "assemble";
  worker.layers = request.layers;
  worker.config_json = oci::dump_image_config(request.config);
  worker.annotations = request.annotations;
  worker.names = request.names;
  StagedWork work;
  if (request.docker) work.format = "docker";
  work.prepare = [&](Staging& staging) -> Status {
    for (const WorkerLayer& layer : request.layers) {
      if (!layer.blob.digest.empty() || sys::exists(store.blob_path(layer.diff_id))) continue;
      UniqueFd diff =
          TRY(sys::open(concat(store.root(), "/", kLayersDir, "/", layer.chain_id, "/", kDiffDir),
                        O_RDONLY | O_DIRECTORY));
      std::string opaque = TRY(request.opaque_directories(diff.get()));
      TRY(sys::write_file(concat(staging.path(), "/", kOpaqueFile, "-", layer.chain_id), opaque,
                          0600));
    }
    return {};
  };
  LoadResult result = TRY(run_and_commit(store, std::move(worker), -1, work));
  // commit() has flushed the file system.
  for (const WorkerLayer& layer : request.layers)
    clear_unsynced(concat(store.root(), "/", kLayersDir, "/", layer.chain_id));
  if (result.image_ids.empty()) return Error(Errc::internal, "the image worker made no image");
  return result.image_ids[0];
}

namespace {

// What was left out of a copy is worth a line.
Status run_copy(const char* verb, const WorkerTree& how, const WorkerFds& fds) {
  WorkerRequest request;
  request.verb = verb;
  request.tree = how;
  WorkerReply reply = TRY(run_worker(request, fds));
  for (const std::string& note : reply.notes)
    if (note.find(": ") != std::string::npos && !note.starts_with("the image worker"))
      log::warn(note);
  return {};
}

}  // namespace

Status copy_tree(const WorkerTree& how, int source_fd, int root_fd) {
  return run_copy("copy-tree", how, {root_fd, -1, source_fd, -1});
}
Status put_archive(const WorkerTree& how, int input_fd, int root_fd) {
  return run_copy("put-tree", how, {root_fd, -1, input_fd, -1});
}
Status read_tree(const WorkerTree& how, int source_fd, int output_fd) {
  return run_copy("read-tree", how, {-1, -1, source_fd, output_fd});
}

Status export_rootfs(int root_fd, int output_fd) {
  WorkerRequest worker;
  worker.verb = "export";
  TRY(run_worker(worker, {-1, -1, root_fd, output_fd}));
  return {};
}

}  // namespace minke::store
