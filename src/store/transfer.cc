#include "store/transfer.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "store/layout.h"
#include "store/worker_run.h"
#include "sys/program.h"
#include "sys/socket.h"

namespace minke::store {
namespace {

using sys::DirFd;
using sys::UniqueFd;

constexpr std::int64_t kDownloadsKept = 24 * 3600;  // seconds: of a blob that nobody came back for

// What the way to a registry may depend on. libcurl takes the lower-case names only; Go's clients
// both, the upper-case one first.
constexpr const char* kEnvironment[] = {"http_proxy",   "https_proxy",     "no_proxy",
                                        "all_proxy",    "MINKE_FAILPOINT", "SSL_CERT_FILE",
                                        "SSL_CERT_DIR", "LD_LIBRARY_PATH"};

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (const char* name : kEnvironment) {
    const std::string upper = to_upper(name);
    const char* value = upper.ends_with("_PROXY") ? ::getenv(upper.c_str()) : nullptr;
    if (value == nullptr || *value == '\0') value = ::getenv(name);
    if (value != nullptr) out.push_back(concat(name, "=", value));
  }
  return out;
}

struct TransferFds {
  int folder = -1, unpacker = -1, blobs = -1;  // -1: /dev/null
};

// minke-transfer at work. Its end, and with it that of its locks, is when this ends.
class RunningTransfer {
 public:
  RunningTransfer(RunningTransfer&& o) noexcept
      : process_(std::exchange(o.process_, {})),
        control_(std::move(o.control_)),
        ended_(o.ended_) {}
  RunningTransfer& operator=(RunningTransfer&&) = delete;
  ~RunningTransfer() {
    control_.reset();
    if (process_.pid > 0) {
      if (!ended_) ignore(process_.pidfd.kill(SIGKILL), "it has ended by itself");
      ignore(sys::wait_pid(process_.pid), "there is nothing more to learn");
    }
  }

  static Result<RunningTransfer> start(const TransferRequest& request, const TransferFds& fds) {
    std::string program = TRY(sys::program_path("minke-transfer"));
    UniqueFd memory = TRY(sys::make_memfd("minke-transfer request", json::dump_struct(request)));
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
      return Error::from_errno(errno, "socketpair");
    UniqueFd theirs(pair[1]), null_fd;
    RunningTransfer transfer;
    transfer.control_ = UniqueFd(pair[0]);
    sys::SpawnOptions options;
    options.path = program;
    options.argv = {"minke-transfer", request.verb};
    options.stdio[0] = options.stdio[1] = -2;
    options.die_with_parent = true;
    options.env = environment();
    int folder = TRY(fd_or_null(fds.folder, &null_fd));
    int unpacker = TRY(fd_or_null(fds.unpacker, &null_fd));
    int blobs = TRY(fd_or_null(fds.blobs, &null_fd));
    options.pass_fds = {memory.get(), theirs.get(), folder, unpacker, blobs};
    transfer.process_ = TRY_CTX(sys::spawn(options), "registry worker");
    return transfer;
  }

  // The next message; an error that it told, or that it has gone, is one here.
  Result<TransferMessage> next() {
    for (;;) {
      TransferMessage message = TRY(receive_transfer_message(control_.get()));
      if (message.kind == "note") {
        log::debug(message.text);
        continue;
      }
      if (message.kind == "error") return error_of(message.error_code, std::move(message.text));
      if (!message.kind.empty()) return message;
      ended_ = true;
      pid_t pid = std::exchange(process_.pid, -1);
      int status = TRY(sys::wait_pid(pid));
      return Error(Errc::internal,
                   concat("the registry worker ended early (", end_of(status), ")"));
    }
  }
  Status send(const TransferMessage& message) {
    return send_transfer_message(control_.get(), message);
  }

 private:
  RunningTransfer() = default;
  sys::Spawned process_;
  UniqueFd control_;
  bool ended_ = false;
};

// ROOT/downloads, without what nobody came back for.
Result<DirFd> open_downloads(const Store& store) {
  DirFd root = TRY(sys::open_dir(store.root()));
  std::string name(kDownloadsDir);
  TRY_CTX(sys::ensure_dir_at(root, name.c_str(), 0700), store.root());
  DirFd folder = TRY(sys::open_dir_at(root, name.c_str()));
  for (const std::string& file : TRY(sys::list_dir(folder))) {
    auto fd = sys::open_beneath(folder.get(), file.c_str(), O_RDONLY | O_NONBLOCK, 0, true);
    struct stat st {};
    if (!fd || ::fstat(fd->get(), &st) < 0 || ::flock(fd->get(), LOCK_EX | LOCK_NB) < 0) continue;
    // One with a longer name was made beside another command, and cannot be found again.
    bool plain = file.size() == 64 && is_hex(file);
    if (!plain || st.st_mtim.tv_sec + kDownloadsKept < now() / kSecond)
      ignore(sys::unlink_at(folder, file.c_str()), "somebody else was faster");
  }
  return folder;
}

struct Download {
  std::string digest, name;  // the file's name below ROOT/downloads
};

class Fetch {
 public:
  Fetch(const Store& store, const FetchPlan& plan) : store_(store), plan_(plan) {}
  Result<Fetched> run();

 private:
  std::vector<oci::Descriptor> missing_blobs(const oci::Manifest& manifest) const;
  bool complete(const oci::Manifest& manifest) const;
  Status add_known(const TransferMessage& found);
  Result<WorkerReply> fetch_layers(const TransferMessage& found, const Staging& staging);
  Status pump();
  Status place_downloads(const Staging& staging);
  void tell(const TransferMessage& message) {
    if (plan_.watch) plan_.watch(message);
  }

  const Store& store_;
  const FetchPlan& plan_;
  DirFd downloads_;
  UniqueFd unpacker_end_;
  std::optional<RunningTransfer> transfer_;
  std::vector<Download> files_;
  Fetched result_;
};

bool has_blob(const Store& store, const oci::Digest& digest) {
  return sys::exists(store.blob_path(digest));
}

// The largest first: both programs take them in this order, and the longest work begins first.
std::vector<oci::Descriptor> Fetch::missing_blobs(const oci::Manifest& manifest) const {
  std::vector<oci::Descriptor> out;
  std::set<std::string> seen;
  for (const oci::Descriptor& layer : manifest.layers) {
    if (!seen.insert(layer.digest.str()).second) continue;
    TransferMessage message;
    message.digest = layer.digest.str();
    message.total = static_cast<std::uint64_t>(layer.size);
    if (has_blob(store_, layer.digest)) {
      message.kind = "skipped";
      if (plan_.watch) plan_.watch(message);
    } else {
      out.push_back(layer);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const oci::Descriptor& a, const oci::Descriptor& b) {
    return a.size > b.size;
  });
  return out;
}

bool Fetch::complete(const oci::Manifest& manifest) const {
  auto config = store_.read_blob(manifest.config.digest);
  if (!config) return false;
  auto parsed = oci::parse_image_config(*config);
  if (!parsed || parsed->diff_ids.size() != manifest.layers.size()) return false;
  for (const std::string& chain_id : chain_ids_of(parsed->diff_ids))
    if (!store_.has_layer(chain_id)) return false;
  return true;
}

oci::Descriptor descriptor_of(const TransferMessage& found, const oci::Digest& digest) {
  oci::Descriptor entry;
  entry.media_type = oci::kMediaManifest;
  entry.digest = digest;
  entry.size = static_cast<std::int64_t>(found.manifest.size());
  if (!found.index_digest.empty()) entry.annotations[kIndexDigest] = found.index_digest;
  if (found.media_type != oci::kMediaManifest) entry.annotations[kImageFormat] = "docker";
  return entry;
}

// The very same manifest is here, and all that it names: there is only a name to give.
Status Fetch::add_known(const TransferMessage& found) {
  oci::Digest digest = TRY(oci::Digest::parse(found.digest));
  Store writable = store_;
  if (plan_.names.empty()) return writable.add_manifest(descriptor_of(found, digest), "");
  for (const std::string& name : plan_.names)
    TRY(writable.add_manifest(descriptor_of(found, digest), name));
  return {};
}

// Messages until all layers are there.
Status Fetch::pump() {
  for (;;) {
    TransferMessage message = TRY(transfer_->next());
    if (message.kind == "done") return {};
    if (message.kind == "layer") files_.push_back({message.digest, message.text});
    tell(message);
  }
}

Result<WorkerReply> Fetch::fetch_layers(const TransferMessage& found, const Staging& staging) {
  oci::Manifest manifest = TRY(oci::parse_manifest(found.manifest));
  std::vector<oci::Descriptor> missing = missing_blobs(manifest);
  WorkerRequest request;
  request.verb = "pull";
  request.rootless = store_.rootless();
  request.base_manifest = found.manifest;
  request.config_json = found.config;
  WorkerImage& image = request.images.emplace_back();
  image.manifest = TRY(oci::Digest::parse(found.digest));
  image.names = plan_.names;
  TransferMessage wanted;
  wanted.kind = "wanted";
  for (const oci::Descriptor& layer : missing) wanted.wanted.push_back(layer.digest.str());
  request.wanted = wanted.wanted;
  DirFd root = TRY(sys::open_dir(store_.root()));
  RunningWorker worker =
      TRY(RunningWorker::start(request, {root.get(), staging.lock_fd(), unpacker_end_.get(), -1}));
  unpacker_end_.reset();
  Status sent = transfer_->send(wanted);
  Status fetched = sent ? pump() : std::move(sent);
  // A conflict: nobody takes the layers any more, and the worker says why.
  bool gave_up = !fetched && fetched.error().code() == Errc::conflict;
  // Killed, so that the worker sees that no more will come.
  if (!fetched) transfer_.reset();
  auto reply = worker.finish();
  if (!fetched && !(gave_up && !reply)) return std::move(fetched.error());
  return reply;
}

// What was verified becomes part of what is committed; of what was not, nothing can be gone on
// from.
Status Fetch::place_downloads(const Staging& staging) {
  DirFd blobs = TRY(sys::open_dir(concat(staging.path(), "/", kStagedBlobsDir)));
  for (const Download& file : files_) {
    oci::Digest digest = TRY(oci::Digest::parse(file.digest));
    TRY(sys::rename_at(downloads_, file.name.c_str(), blobs, std::string(digest.hex()).c_str()));
    failpoint("store.fetch", 2);
  }
  return {};
}

Result<Fetched> Fetch::run() {
  TRY(store_.clear_abandoned());
  downloads_ = TRY(open_downloads(store_));
  auto [to_unpacker, from_transfer] = TRY(sys::make_seqpacket_pair());
  unpacker_end_ = std::move(from_transfer);
  transfer_.emplace(
      TRY(RunningTransfer::start(plan_.request, {downloads_.get(), to_unpacker.get(), -1})));
  to_unpacker.reset();
  TransferMessage found = TRY(transfer_->next());
  if (found.kind != "manifest")
    return Error(Errc::internal, concat("registry worker: unexpected ", quote(found.kind)));
  if (plan_.accept && !TRY(plan_.accept(found))) return std::move(result_);
  oci::Manifest manifest = TRY(oci::parse_manifest(found.manifest));
  result_.accepted = true;
  result_.image_id = manifest.config.digest.hex();
  result_.index_digest = found.index_digest;
  result_.manifest = found.manifest;
  oci::Digest digest = TRY(oci::Digest::parse(found.digest));
  bool known = has_blob(store_, digest) && missing_blobs(manifest).empty() && complete(manifest);
  if (known) {
    if (!plan_.borrow) TRY(add_known(found));
    return std::move(result_);
  }
  Staging staging = TRY(store_.stage("fetch"));
  failpoint("store.fetch", 0);
  auto reply = fetch_layers(found, staging);
  if (!reply) {
    if (reply.error().code() == Errc::corrupt)
      for (const Download& file : files_)
        ignore(sys::unlink_at(downloads_, file.name.c_str()), "it may be gone");
    return std::move(reply.error());
  }
  failpoint("store.fetch", 1);
  TRY(place_downloads(staging));
  failpoint("store.fetch", 3);
  if (plan_.borrow) {
    result_.staging.emplace(std::move(staging));
    return std::move(result_);
  }
  NewContent content;
  content.images.push_back({descriptor_of(found, digest), plan_.names});
  Store writable = store_;
  TRY(writable.commit(staging, content));
  return std::move(result_);
}

}  // namespace

Result<TransferMessage> ask_registry(TransferRequest request) {
  request.verb = "get";
  RunningTransfer transfer = TRY(RunningTransfer::start(request, {}));
  TransferMessage answer = TRY(transfer.next());
  if (answer.kind != "answer")
    return Error(Errc::internal, concat("registry worker: unexpected ", quote(answer.kind)));
  return answer;
}

Error registry_fault(const TransferMessage& answer) {
  Errc code = answer.status == 404                           ? Errc::not_found
              : answer.status == 401 || answer.status == 403 ? Errc::permission
                                                             : Errc::io;
  return {code, answer.text};
}

Result<std::string> download(const std::string& url, int folder, const std::string& name) {
  TransferRequest request;
  request.verb = "download";
  request.path = url;
  request.reference = name;
  request.max_body = std::uint64_t{64} << 30;
  RunningTransfer transfer = TRY(RunningTransfer::start(request, {folder, -1, -1}));
  TransferMessage answer = TRY(transfer.next());
  if (answer.kind != "done")
    return Error(Errc::internal, concat("registry worker: unexpected ", quote(answer.kind)));
  tm parts{};
  // RFC 9110's date; in any other form it says nothing.
  if (::strptime(answer.headers["last-modified"].c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts)) {
    const timespec changed{::timegm(&parts), 0};
    const timespec times[2] = {changed, changed};
    if (::utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::from_errno(errno, concat("set the times of ", name));
  }
  return answer.digest;
}

Result<Fetched> fetch_image(const Store& store, const FetchPlan& plan) {
  return Fetch(store, plan).run();
}

Status push_blobs(const Store& store, TransferRequest request, const Staging* staging,
                  const std::function<void(const TransferMessage&)>& watch) {
  request.verb = "push";
  DirFd blobs = TRY(sys::open_dir(concat(store.root(), "/", kBlobsDir)));
  DirFd staged;
  if (staging != nullptr)
    staged = TRY(sys::open_dir(concat(staging->path(), "/", kStagedBlobsDir)));
  RunningTransfer transfer =
      TRY(RunningTransfer::start(request, {staged.is_cwd() ? -1 : staged.get(), -1, blobs.get()}));
  for (;;) {
    TransferMessage message = TRY(transfer.next());
    if (message.kind == "done") return {};
    if (watch) watch(message);
  }
}

}  // namespace minke::store
