// What the parsers of option texts share with the decisions of creation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::engine {

// Appends "K=V" of the caller's environment: of K, or of all that begin with PREFIX for "PREFIX*".
void append_caller_env(std::string_view name, std::vector<std::string>* out);

// A reason in Go's words ("no such file or directory"), as scripts know it from Podman.
std::string go_reason(int err);

// Lexical clean-up as Go's filepath.Clean: no doubled slash, no ".", ".." applied; "" becomes ".".
std::string clean_path(std::string_view path);

// An absolute container path, cleaned; errors in Podman's words.
Result<std::string> container_path(std::string_view path);

// Options of -v and of --mount type=bind: known names, and no two of a kind.
Status check_volume_options(const std::vector<std::string>& options);

}  // namespace minke::engine
