#include "cli/progress.h"

#include <cstdio>

#include "base/str.h"

namespace minke::cli {

void say_copied(const store::Image& image) {
  std::string text;
  for (const oci::Descriptor& layer : image.manifest.layers)
    text += concat("Copying blob ", layer.digest.str(), "\n");
  text += concat("Copying config sha256:", image.id, "\nWriting manifest to image destination\n");
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace minke::cli
