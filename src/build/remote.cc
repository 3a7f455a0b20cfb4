#include "build/remote.h"

#include "base/str.h"
#include "build/file_digests.h"
#include "codec/digest.h"
#include "store/transfer.h"
#include "sys/fd.h"

namespace minke::build {

std::string name_of_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = url.find("://");
  if (host != std::string_view::npos) url.remove_prefix(host + 3);
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos) return "";
  std::string_view name = url.substr(url.rfind('/') + 1);
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool may_be_code = name[i] == '%' && i + 2 < name.size();
    auto code = may_be_code ? parse_uint(name.substr(i + 1, 2), 16) : std::nullopt;
    if (code) i += 2;
    out += code ? static_cast<char>(*code) : name[i];
  }
  const bool bad = out == "." || out == ".." || out.find('/') != std::string::npos ||
                   out.find('\0') != std::string::npos;
  return bad ? "" : out;
}

Result<RemoteFile> fetch_url(const std::string& url, const std::string& folder) {
  const std::string name = sha256_hex(url);
  sys::DirFd dir = TRY(sys::open_dir(folder));
  RemoteFile file;
  if (!sys::exists_at(dir, name.c_str()))
    file.digest = TRY_CTX(store::download(url, dir.get(), name), url);
  file.fd = TRY(sys::open_beneath(dir.get(), name.c_str(), O_RDONLY, 0, true));
  if (file.digest.empty())
    file.digest = concat("sha256:", TRY(FileDigests("").digest_of(file.fd.get(), url)));
  return file;
}

}  // namespace minke::build
