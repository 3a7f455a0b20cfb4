#include "transfer/worker.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "base/str.h"
#include "sys/fd.h"
#include "transfer/confine.h"
#include "transfer/verbs.h"

namespace minke::transfer {

using store::TransferMessage;
using store::TransferRequest;

registry::HostAccess access_of(const store::TransferHost& host) {
  registry::HostAccess access;
  access.host = host.host;
  access.insecure = host.insecure;
  access.tls.ca_files = host.ca_files;
  for (const store::TransferClient& client : host.clients)
    access.tls.clients.push_back({client.cert_file, client.key_file});
  access.username = host.username;
  access.password = host.password;
  access.identity_token = host.identity_token;
  return access;
}

registry::RetryRules retry_of(const TransferRequest& request) {
  return {request.retries, request.retry_delay_ns};
}

Status in_parallel(std::size_t count, std::size_t threads, std::atomic<bool>* stop,
                   const std::function<Status(std::size_t)>& job) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> first;
  auto run = [&] {
    for (std::size_t i = next++; i < count && !*stop; i = next++) {
      Status done = job(i);
      if (done) continue;
      std::lock_guard guard(mutex);
      if (!first) first = std::move(done.error());
      *stop = true;
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
  run();
  for (std::thread& thread : others) thread.join();
  if (first) return std::move(*first);
  return {};
}

Status get(Desk& desk) {
  const TransferRequest& asked = desk.request;
  if (asked.hosts.empty()) return Error(Errc::internal, "no registry to ask");
  registry::Client client(desk.http, access_of(asked.hosts[0]), retry_of(asked));
  registry::HttpRequest request;
  if (!asked.method.empty()) request.method = asked.method;
  request.url = asked.path;
  request.body = asked.body;
  request.anonymous = asked.anonymous;
  request.max_body = asked.max_body;
  for (const std::string& type : asked.accept) request.headers.push_back(concat("Accept: ", type));
  if (!asked.content_type.empty())
    request.headers.push_back(concat("Content-Type: ", asked.content_type));
  std::vector<std::string> scopes;
  if (!asked.scope.empty()) scopes.push_back(asked.scope);
  registry::HttpResponse answer = TRY(client.send(std::move(request), scopes));
  TransferMessage message;
  message.kind = "answer";
  message.status = answer.status;
  message.headers = std::move(answer.headers);
  if (answer.status / 100 != 2) message.text = registry::Client::fault_of(answer).message();
  message.body = std::move(answer.body);
  return desk.tell(message);
}

namespace {

Status serve(const TransferRequest& request,
             const std::function<Status(const TransferMessage&)>& tell) {
  std::vector<sys::PathAccess> reachable;
  for (int fd : {store::kTransferFolderFd, store::kTransferBlobsFd}) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
      reachable.push_back({fd, (request.verb == "fetch" || request.verb == "download") &&
                                   fd == store::kTransferFolderFd});
  }
  std::vector<std::string> cert_files, notes;
  for (const store::TransferHost& host : request.hosts) {
    cert_files.insert(cert_files.end(), host.ca_files.begin(), host.ca_files.end());
    for (const store::TransferClient& client : host.clients)
      cert_files.insert(cert_files.end(), {client.cert_file, client.key_file});
  }
  TRY_CTX(confine(std::move(reachable), cert_files, &notes), "confine minke-transfer");
  for (const std::string& note : notes) {
    TransferMessage message;
    message.kind = "note";
    message.text = note;
    TRY(tell(message));
  }
  std::atomic<bool> stop{false};
  registry::HttpClient http(&stop);
  Desk desk{request, http, stop, tell};
  if (request.verb == "get") return get(desk);
  if (request.verb == "fetch") return fetch(desk);
  if (request.verb == "push") return push(desk);
  if (request.verb == "download") return download(desk);
  return Error(Errc::internal, concat("unknown verb ", quote(request.verb)));
}

}  // namespace

int run_transfer() {
  struct stat st {};
  if (::fstat(store::kTransferRequestFd, &st) < 0 || ::fstat(store::kTransferControlFd, &st) < 0) {
    std::fputs("minke-transfer is started by minke; it has no use by itself\n", stderr);
    return 125;
  }
  ::umask(0);
  ::signal(SIGPIPE, SIG_IGN);
  std::mutex mutex;
  auto tell = [&mutex](const TransferMessage& message) -> Status {
    std::lock_guard guard(mutex);
    return store::send_transfer_message(store::kTransferControlFd, message);
  };
  auto text = sys::read_all(store::kTransferRequestFd, 64 << 20, "the request");
  auto request = text ? json::parse_struct<TransferRequest>(*text)
                      : Result<TransferRequest>(std::move(text.error()));
  Status done = request ? serve(*request, tell) : Status(std::move(request.error()));
  if (done) return 0;
  TransferMessage failed;
  failed.kind = "error";
  failed.text = done.error().message();
  failed.error_code = static_cast<std::int32_t>(done.error().code());
  failed.error_errno = done.error().sys();
  return tell(failed) ? 0 : 1;
}

}  // namespace minke::transfer
