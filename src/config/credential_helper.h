// docker-credential-NAME: a program that keeps credentials. It reads one line on standard input and
// answers in JSON on standard output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/auth_file.h"

namespace minke::config {

// Looked for in PATH; ended after `timeout_ms`. What it says on failure is in the error's text;
// that it knows nothing of `server` is an empty answer of get, and false of erase.
struct CredentialHelper {
  std::string name;  // "pass", "secretservice": letters, digits, "-", "_" and "." only
  int timeout_ms = 30000;

  Result<Credentials> get(std::string_view server) const;
  Status store(std::string_view server, const Credentials& creds) const;
  Result<bool> erase(std::string_view server) const;
  Result<std::vector<std::string>> list() const;
};

}  // namespace minke::config
