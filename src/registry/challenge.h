// WWW-Authenticate (RFC 9110, 11.6.1): what a server wants to know of who asks.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace minke::registry {

struct Challenge {
  std::string scheme;                         // in lower case: "bearer", "basic"
  std::map<std::string, std::string> params;  // names in lower case
  std::string param(const std::string& name) const {
    auto it = params.find(name);
    return it == params.end() ? std::string() : it->second;
  }
};

// All challenges of the header (several headers joined by ", "). What makes no sense is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace minke::registry
