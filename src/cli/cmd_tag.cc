// tag and untag: the names of images.
#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "store/image_name.h"

namespace minke::cli {
namespace {

struct NoOptions {};

Result<oci::Reference> new_name(const std::string& typed) {
  oci::Reference ref =
      TRY_CTX(oci::Reference::parse(typed), concat("normalizing name ", quote(typed)));
  if (!ref.digest.empty())
    return Error(Errc::invalid_argument,
                 concat(quote(typed), ": an image cannot be named by a digest"));
  return ref.normalized("localhost");
}

Result<int> tag(Invocation& call, NoOptions&) {
  std::vector<oci::Reference> names;
  for (std::size_t i = 1; i < call.args.size(); ++i) names.push_back(TRY(new_name(call.args[i])));
  engine::Engine* engine = TRY(call.engine());
  store::Image image = TRY(engine->store().find_image_or_list(call.args[0]));
  for (const oci::Reference& name : names) {
    TRY(engine->store().tag_image(image, name));
    engine::emit_image(engine->host(), "tag", image.id, name.str());
  }
  return 0;
}

Result<int> untag(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  store::Image image = TRY(engine->store().find_image_or_list(call.args[0]));
  std::vector<std::string> names;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    std::string name = store::name_as_typed(image, call.args[i]);
    if (name.empty()) {
      oci::Reference typed = TRY(new_name(call.args[i]));
      return Error(Errc::not_found, concat(typed.str(), ": tag not known"));
    }
    names.push_back(std::move(name));
  }
  if (names.empty()) names = image.names;
  for (const std::string& name : names) {
    TRY(engine->store().untag_image(image, name));
    engine::emit_image(engine->host(), "untag", image.id, name);
  }
  return 0;
}

}  // namespace

const constinit Command kTagCommand = make_command<NoOptions, tag>(
    {.summary = "Add an additional name to a local image",
     .usage = "IMAGE TARGET_NAME [TARGET_NAME...]",
     .description = "Adds one or more additional names to locally-stored image.",
     .examples = "0e3bbc2 fedora:latest\nimageID:latest myNewImage:newTag\n"
                 "httpd myregistryhost:5000/fedora/httpd:v2",
     .args = ArgRule::at_least(2)});

const constinit Command kUntagCommand = make_command<NoOptions, untag>(
    {.summary = "Remove a name from a local image",
     .usage = "IMAGE [IMAGE...]",
     .description = "Removes one or more names from a locally-stored image; all of them when only "
                    "the image is given.",
     .examples = "0e3bbc2\nimageID:latest otherImageName:latest\n"
                 "httpd myregistryhost:5000/fedora/httpd:v2",
     .args = ArgRule::at_least(1)});

}  // namespace minke::cli
