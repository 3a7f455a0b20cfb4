// ADD of a URL, and contexts that are one: a file of the web, as it is.
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/str.h"
#include "codec/digest.h"
#include "sys/fd.h"
#include "transfer/verbs.h"

namespace minke::transfer {

using store::TransferMessage;
using store::TransferRequest;

namespace {

constexpr std::uint32_t kTries = 3;

// One try: what came before a cut is thrown away, as no server need serve parts.
Result<registry::HttpResponse> try_once(Desk& desk, int file, std::uint64_t* size,
                                        std::string* digest) {
  const TransferRequest& asked = desk.request;
  if (::ftruncate(file, 0) < 0 || ::lseek(file, 0, SEEK_SET) < 0)
    return Error::from_errno(errno, "write the download");
  Hasher hasher;
  *size = 0;
  registry::TlsOptions tls;
  registry::HttpRequest request;
  request.url = asked.path;
  request.tls = &tls;
  request.on_head = [](const registry::HttpResponse&) { return Status(); };
  request.on_body = [&](std::string_view bytes) -> Status {
    *size += bytes.size();
    if (asked.max_body != 0 && *size > asked.max_body)
      return Error(Errc::unsupported, concat("larger than ", asked.max_body, " bytes"));
    hasher.update(bytes);
    return sys::write_all(file, bytes, "the download");
  };
  registry::HttpResponse answer = TRY(desk.http.perform(request));
  *digest = concat("sha256:", hasher.hex());
  return answer;
}

}  // namespace

Status download(Desk& desk) {
  const TransferRequest& asked = desk.request;
  sys::UniqueFd file = TRY(sys::open_beneath(store::kTransferFolderFd, asked.reference.c_str(),
                                             O_WRONLY | O_CREAT | O_EXCL, 0600, true));
  TransferMessage done;
  done.kind = "done";
  for (std::uint32_t attempt = 0;; ++attempt) {
    auto answer = try_once(desk, file.get(), &done.total, &done.digest);
    const bool passing = answer ? answer->status == 429 || answer->status / 100 == 5
                                : answer.error().code() == Errc::unavailable ||
                                      answer.error().code() == Errc::timeout;
    if (passing && attempt + 1 < kTries) {
      std::this_thread::sleep_for(std::chrono::seconds(1 << attempt));
      continue;
    }
    registry::HttpResponse last = TRY(std::move(answer));
    if (last.status / 100 != 2)
      return Error(last.status == 404 ? Errc::not_found : Errc::io,
                   concat("the server answers ", last.status));
    done.status = last.status;
    done.headers = std::move(last.headers);
    return desk.tell(done);
  }
}

}  // namespace minke::transfer
