#include "build/cache_place.h"

#include "base/str.h"
#include "oci/reference.h"

namespace minke::build {
namespace {

constexpr std::size_t kMaxTag = 128, kKey = 64;

class Reader {
 public:
  Reader(const std::string& text, bool to) : text_(text), to_(to) { place_.text = text; }

  Result<CachePlace> read() {
    if (text_.find('=') == std::string::npos) {
      TRY(repository(text_, false));
      return std::move(place_);
    }
    std::string type = "registry", reference;
    for (std::string_view part : split(text_, ',')) {
      auto pair = split_once(part, '=');
      if (!pair) return wrong(concat(quote(part), " has no value"));
      const std::string value(pair->second);
      if (pair->first == "type")
        type = value;
      else if (pair->first == "ref")
        reference = value;
      else
        TRY(word(std::string(pair->first), value));
    }
    if (type == "local") {
      if (place_.folder.empty()) return wrong(to_ ? "dest is missing" : "src is missing");
      if (!reference.empty()) return wrong("ref is of type=registry");
      return std::move(place_);
    }
    if (type != "registry")
      return Error(Errc::unsupported, concat(option(), " ", text_, ": type ", quote(type),
                                             " is not supported: registry or local"));
    if (!place_.folder.empty()) return wrong("a folder is of type=local");
    if (reference.empty()) return wrong("ref is missing");
    TRY(repository(reference, true));
    return std::move(place_);
  }

 private:
  const char* option() const { return to_ ? "--cache-to" : "--cache-from"; }
  Error wrong(std::string_view what) const {
    return {Errc::invalid_argument, concat(option(), " ", text_, ": ", what)};
  }

  Status word(const std::string& key, const std::string& value) {
    if (key == (to_ ? "dest" : "src")) {
      place_.folder = value;
    } else if (to_ && key == "mode") {
      if (value != "min" && value != "max") return wrong("mode is min or max");
      place_.every_stage = value == "max";
    } else if (to_ && key == "ignore-error") {
      auto ignored = parse_bool(value);
      if (!ignored) return wrong("ignore-error is true or false");
      place_.ignore_error = *ignored;
    } else {
      return Error(Errc::unsupported,
                   concat(option(), " ", text_, ": ", key, " is not supported (",
                          to_ ? "type, ref, dest, mode, ignore-error)" : "type, ref, src)"));
    }
    return {};
  }

  Status repository(const std::string& name, bool with_tag) {
    auto refused = [&](std::string_view why) {
      return Error(Errc::invalid_argument, concat("unable to parse value provided ", quote(text_),
                                                  " to ", option(), ": ", why));
    };
    auto reference = oci::Reference::parse(name);
    if (!reference)
      return refused(concat("invalid repo ", quote(name),
                            ": must contain registry and repository: invalid reference format"));
    const oci::Reference full = reference->normalized("docker.io");
    const bool tagged = !reference->tag.empty();
    if (!reference->digest.empty() || (tagged && !with_tag))
      return refused(concat("repository must contain neither a tag nor digest: ", full.str()));
    place_.repository = concat(full.registry, "/", full.repository);
    if (!tagged) return {};
    place_.tag_prefix = concat(reference->tag, "-");
    if (place_.tag_prefix.size() + kKey > kMaxTag) return refused("the tag is too long");
    return {};
  }

  const std::string& text_;
  bool to_;
  CachePlace place_;
};

}  // namespace

Result<CachePlace> parse_cache_place(const std::string& text, bool to) {
  return Reader(text, to).read();
}

}  // namespace minke::build
