#include "engine/simple_signing.h"

#include <algorithm>
#include <optional>

#include "base/str.h"
#include "codec/base64.h"
#include "config/signature_payload.h"
#include "sys/capture.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using config::Requirement;
using Type = Requirement::Type;

constexpr std::size_t kMaxSignatures = 128, kMaxSignature = 4 << 20;

// The blocks of an armored text in binary; a text without armor as it is. gpgv reads no armor.
Result<std::string> dearmor(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
  constexpr std::string_view kEnd = "-----END PGP PUBLIC KEY BLOCK-----";
  if (text.find(kBegin) == std::string_view::npos) return std::string(text);
  std::string out;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at)) {
    std::size_t end = text.find(kEnd, at);
    if (end == std::string_view::npos)
      return Error(Errc::invalid_argument, "an armored key without its end");
    std::string encoded;
    for (std::string_view line :
         split(text.substr(at + kBegin.size(), end - at - kBegin.size()), '\n')) {
      line = trim(line);
      if (line.starts_with('=')) break;                               // its checksum
      if (line.find(':') == std::string_view::npos) encoded += line;  // else "Comment: ..."
    }
    auto bytes = base64_decode(encoded);
    if (!bytes) return Error(Errc::invalid_argument, "an armored key that is broken");
    out += *bytes;
    at = end;
  }
  return out;
}

Result<std::string> keyring_of(const Requirement& requirement) {
  std::string keys;
  for (const std::string& data : requirement.key_data) {
    auto bytes = base64_decode(data);
    if (!bytes)
      return Error(Errc::invalid_argument, concat(requirement.where, ": a key is broken"));
    keys += TRY_CTX(dearmor(*bytes), requirement.where);
  }
  return keys;
}

// What gpgv says on its status descriptor: one text, one good signature of a key of the ring that
// is neither expired nor revoked.
bool is_one_good_signature(std::string_view status) {
  int texts = 0, good = 0, valid = 0;
  for (std::string_view line : split(status, '\n')) {
    std::string_view word = line;
    if (!word.starts_with("[GNUPG:] ")) continue;
    word.remove_prefix(9);
    word = word.substr(0, word.find(' '));
    if (word == "PLAINTEXT") ++texts;
    if (word == "GOODSIG") ++good;
    if (word == "VALIDSIG") ++valid;
    for (std::string_view bad : {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NODATA",
                                 "UNEXPECTED", "FAILURE", "ERROR"})
      if (word == bad) return false;
  }
  return texts == 1 && good == 1 && valid == 1;
}

// The signed text.
Result<std::string> open_signature(std::string_view keyring, std::string_view signature) {
  auto gpgv = sys::find_in_path("gpgv");
  if (!gpgv)
    return Error(Errc::unsupported, "signatures are checked by gpgv: install the package gpgv");
  sys::UniqueFd keys = TRY(sys::make_memfd("keyring", keyring));
  sys::UniqueFd null_fd = TRY(sys::open("/dev/null", O_RDWR));
  sys::SpawnOptions program;
  program.path = *gpgv;
  // Descriptors 3 and 4 are the keys and where messages for people go.
  program.argv = {"gpgv",        "--homedir", "/nonexistent", "--keyring", "/proc/self/fd/3",
                  "--status-fd", "2",         "--logger-fd",  "4",         "--output",
                  "-",           "-"};
  program.pass_fds = {keys.get(), null_fd.get()};
  program.die_with_parent = true;
  sys::Captured said = TRY(sys::capture(std::move(program), signature, "gpgv"));
  if (said.exit_code != 0 || !is_one_good_signature(said.err))
    return Error(Errc::permission, "Invalid GPG signature");
  return std::move(said.out);
}

Status meet(const Requirement& requirement, std::string_view reference, std::string_view digest,
            const std::vector<std::string>& signatures) {
  std::string keyring = TRY(keyring_of(requirement));
  std::string reasons;
  for (const std::string& signature : signatures) {
    auto payload = open_signature(keyring, signature);
    Status good = payload ? config::check_payload(*payload, config::kSimpleSigningType,
                                                  requirement.identity, reference, digest)
                          : Status(std::move(payload.error()));
    if (good) return {};
    if (good.error().code() != Errc::permission && good.error().code() != Errc::invalid_argument)
      return std::move(good.error()).wrap(requirement.where);
    reasons += concat(reasons.empty() ? "" : "; ", good.error().message());
  }
  std::string_view what = signatures.empty() ? "A signature was required, but no signature exists"
                                             : "None of the signatures were accepted";
  return Error(Errc::permission,
               concat("Source image rejected: ", what,
                      reasons.empty() ? "" : ", reasons: ", reasons, " (", requirement.where, ")"));
}

Status read_local(const config::SignatureStore& store, std::string_view reference,
                  std::string_view digest, std::vector<std::string>* signatures) {
  constexpr std::string_view kScheme = "file://";
  if (!store.lookaside.starts_with(kScheme)) return {};
  for (std::size_t number = 1; number <= kMaxSignatures; ++number) {
    std::string address = TRY(config::signature_address(store, reference, digest, number));
    auto bytes = sys::read_small_file(address.substr(kScheme.size()), kMaxSignature);
    if (!bytes && bytes.error().code() == Errc::not_found) break;
    if (!bytes) return std::move(bytes.error());
    signatures->push_back(std::move(*bytes));
  }
  return {};
}

}  // namespace

Status check_simple_signatures(const std::vector<Requirement>& requirements,
                               const config::SignatureStore& store, std::string_view reference,
                               std::string_view digest, std::vector<std::string> signatures) {
  bool asked = std::any_of(requirements.begin(), requirements.end(),
                           [](const Requirement& one) { return one.type == Type::signed_by; });
  if (!asked) return {};
  TRY(read_local(store, reference, digest, &signatures));
  for (const Requirement& one : requirements)
    if (one.type == Type::signed_by) TRY(meet(one, reference, digest, signatures));
  return {};
}

}  // namespace minke::engine
