// Images as rows of listings and as inspect shows them.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "store/store.h"

namespace minke::view {

// The members and order of `images --format json`; `containers` is how many use the image.
json::Object image_json(const store::Image& image, std::int64_t containers);

struct ImageRowOptions {
  TimeNs at = 0;  // now
  bool no_trunc = false;
  std::int64_t containers = 0;
};
// What templates and tables name (.Repository .Tag .ID .Digest .Created .CreatedSince .CreatedAt
// .CreatedTime .Size .SharedSize .VirtualSize .Containers .Names .History .Labels .ReadOnly
// .ParentId .Dangling): one for each name of the image, or "<none>" and "<none>".
json::Array image_rows(const store::Image& image, const ImageRowOptions& options);
extern const gotemplate::Shape kImageRowShape;

// `image inspect`.
json::Object inspect_image(const store::Store& store, const store::Image& image);
extern const gotemplate::Shape kImageShape;

}  // namespace minke::view
