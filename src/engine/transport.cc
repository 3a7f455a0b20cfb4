#include "engine/transport.h"

#include "base/str.h"

namespace minke::engine {
namespace {

struct Row {
  std::string_view prefix;
  Transport transport;
};
constexpr Row kRows[] = {
    {"oci-archive:", Transport::oci_archive},
    {"docker-archive:", Transport::docker_archive},
    {"oci:", Transport::oci},
    {"dir:", Transport::dir},
};
struct RefusedRow {
  std::string_view prefix;
  const char* why;
};
constexpr RefusedRow kRefused[] = {
    {"containers-storage:",
     "the storage of other engines is not read: save the image there, load "
     "it here, or use the name alone for an image of this engine"},
    {"docker-daemon:", "use docker save and minke load"},
    {"ostree:", "use oci: or dir:"},
    {"sif:", "use oci: or docker-archive:"},
    {"tarball:", "use minke import"},
    {"atomic:", "use docker://"},
};

}  // namespace

const char* transport_name(Transport transport) {
  constexpr const char* kNames[] = {"docker", "oci", "oci-archive", "docker-archive", "dir"};
  return kNames[static_cast<int>(transport)];
}

Result<ImagePlace> parse_image_place(std::string_view text) {
  ImagePlace place;
  for (const RefusedRow& row : kRefused)
    if (text.starts_with(row.prefix))
      return Error(Errc::unsupported,
                   concat("transport ", quote(row.prefix.substr(0, row.prefix.size() - 1)),
                          " is not supported: ", row.why));
  if (text.starts_with("docker://")) {
    place.name = text.substr(9);
    place.typed = true;
    return place;
  }
  for (const Row& row : kRows) {
    if (!text.starts_with(row.prefix)) continue;
    place.transport = row.transport;
    place.typed = true;
    std::string_view rest = text.substr(row.prefix.size());
    if (row.transport == Transport::dir) {
      place.path = rest;
    } else {
      std::size_t colon = rest.find(':');
      place.path = rest.substr(0, colon);
      if (colon != rest.npos) place.name = rest.substr(colon + 1);
    }
    if (place.path.empty())
      return Error(Errc::invalid_argument,
                   concat(quote(text), ": a path is missing behind ", quote(row.prefix)));
    return place;
  }
  place.name = text;
  return place;
}

}  // namespace minke::engine
