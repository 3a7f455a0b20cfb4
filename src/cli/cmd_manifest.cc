// manifest: lists of images. (What is sent to registries: cmd_manifest_push.cc.)
#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/pairs.h"
#include "cli/registry_flags.h"
#include "engine/engine.h"
#include "engine/manifest_list.h"

namespace minke::cli {
namespace {

constexpr const char* kNoArtifacts = "artifacts are not supported";
constexpr const char* kAuthfile =
    "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override";
constexpr const char* kCertDir = "use certificates at the specified path to access the registry";
constexpr const char* kCreds = "use `[username[:password]]` for accessing the registry";
constexpr const char* kTlsVerify =
    "require HTTPS and verify certificates when accessing the registry";

struct CreateOptions : RegistryFlags {
  bool all = false, amend = false;
  std::vector<std::string> annotation;
};
constexpr Option<CreateOptions> kCreateOptions[] = {
    {"all", 0, &CreateOptions::all, "add all of the lists' images if the images to add are lists"},
    {"amend", 'a', &CreateOptions::amend,
     "modify an existing list if one with the desired name already exists"},
    {"annotation", 0, &CreateOptions::annotation, "set annotations on the new list"},
    {"tls-verify", 0, &CreateOptions::tls_verify, kTlsVerify, {.shown_default = "true"}},
};
constexpr OptionTable kCreateTables[] = {option_table<CreateOptions>(kCreateOptions)};

// What add and annotate say of an image.
struct NoteFlags {
  std::vector<std::string> annotation, features, os_features;
  std::string arch, os, os_version, variant;
};

Result<std::map<std::string, std::string>> annotations_of(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> out;
  for (const std::string& text : texts) {
    auto pair = split_once(text, '=');
    if (!pair)
      return Error(Errc::invalid_argument, concat("no value given for annotation ", quote(text)));
    out[std::string(pair->first)] = pair->second;
  }
  return out;
}

Result<engine::MemberNotes> notes_of(const NoteFlags& flags) {
  engine::MemberNotes notes;
  notes.annotations = TRY(annotations_of(flags.annotation));
  notes.os = flags.os;
  notes.architecture = flags.arch;
  notes.variant = flags.variant;
  notes.os_version = flags.os_version;
  notes.features = flags.features;
  notes.os_features = flags.os_features;
  return notes;
}

Result<int> create(Invocation& call, CreateOptions& options) {
  engine::AddToList members;
  members.images.assign(call.args.begin() + 1, call.args.end());
  members.all = options.all;
  members.access = TRY(registry_access(options));
  auto annotations = TRY(annotations_of(options.annotation));
  engine::Engine* engine = TRY(call.engine());
  const engine::IfThere if_there = options.amend ? engine::IfThere::amend : engine::IfThere::fail;
  std::string id = TRY(engine::create_list(*engine, call.args[0], members, if_there, annotations));
  call.out.line(id);
  return 0;
}

struct AddOptions : RegistryFlags, NoteFlags {
  bool all = false;
};
constexpr Option<AddOptions> kAddOptions[] = {
    {"all", 0, &AddOptions::all, "add all of the list's images if the image is a list"},
    {"annotation", 0, &AddOptions::annotation, "set an `annotation` for the specified image"},
    {"arch", 0, &AddOptions::arch, "override the `architecture` of the specified image"},
    {"artifact", 0, refused, kNoArtifacts, {.no_value = "true"}},
    {"artifact-config", 0, refused, kNoArtifacts},
    {"artifact-config-type", 0, refused, kNoArtifacts},
    {"artifact-exclude-titles", 0, refused, kNoArtifacts, {.no_value = "true"}},
    {"artifact-layer-type", 0, refused, kNoArtifacts},
    {"artifact-subject", 0, refused, kNoArtifacts},
    {"artifact-type", 0, refused, kNoArtifacts},
    {"authfile", 0, &AddOptions::authfile, kAuthfile},
    {"cert-dir", 0, &AddOptions::cert_dir, kCertDir},
    {"creds", 0, &AddOptions::creds, kCreds},
    {"features",
     0,
     &AddOptions::features,
     "override the `features` of the specified image",
     {.csv = true}},
    {"os", 0, &AddOptions::os, "override the `OS` of the specified image"},
    {"os-version", 0, &AddOptions::os_version, "override the OS `version` of the specified image"},
    {"tls-verify", 0, &AddOptions::tls_verify, kTlsVerify, {.shown_default = "true"}},
    {"variant", 0, &AddOptions::variant, "override the `Variant` of the specified image"},
};
constexpr OptionTable kAddTables[] = {option_table<AddOptions>(kAddOptions)};

Result<int> add(Invocation& call, AddOptions& options) {
  engine::AddToList members;
  members.images.assign(call.args.begin() + 1, call.args.end());
  members.all = options.all;
  members.access = TRY(registry_access(options));
  members.notes = TRY(notes_of(options));
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine::add_to_list(*engine, call.args[0], members));
  call.out.line(id);
  return 0;
}

struct AnnotateOptions : NoteFlags {
  bool index = false;
};
constexpr Option<AnnotateOptions> kAnnotateOptions[] = {
    {"annotation", 0, &AnnotateOptions::annotation, "set an `annotation` for the specified image"},
    {"arch", 0, &AnnotateOptions::arch, "override the `architecture` of the specified image"},
    {"features",
     0,
     &AnnotateOptions::features,
     "override the `features` of the specified image",
     {.csv = true}},
    {"index", 0, &AnnotateOptions::index, "apply annotations to the list and not to an image"},
    {"os", 0, &AnnotateOptions::os, "override the `OS` of the specified image"},
    {"os-features",
     0,
     &AnnotateOptions::os_features,
     "override the OS `features` of the specified image",
     {.csv = true}},
    {"os-version", 0, &AnnotateOptions::os_version,
     "override the OS `version` of the specified image"},
    {"subject", 0, refused, kNoArtifacts},
    {"variant", 0, &AnnotateOptions::variant, "override the `Variant` of the specified image"},
};
constexpr OptionTable kAnnotateTables[] = {option_table<AnnotateOptions>(kAnnotateOptions)};

Result<int> annotate(Invocation& call, AnnotateOptions& options) {
  if (options.index == (call.args.size() == 2))
    return Error(Errc::invalid_argument, options.index
                                             ? "--index is about the list: no image is named"
                                             : "an image of the list must be named, or --index");
  engine::MemberNotes notes = TRY(notes_of(options));
  engine::Engine* engine = TRY(call.engine());
  std::string id;
  if (options.index) {
    for (const char* flag : {"arch", "features", "os", "os-features", "os-version", "variant"})
      if (call.changed(flag))
        return Error(Errc::invalid_argument,
                     concat("--", flag, " is about an image, and cannot be used with --index"));
    id = TRY(engine::annotate_list(*engine, call.args[0], notes.annotations));
  } else {
    id = TRY(engine::annotate_member(*engine, call.args[0], call.args[1], notes));
  }
  call.out.line(id);
  return 0;
}

struct NoOptions {};
Result<int> exists(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  auto found = engine::find_list(*engine, call.args[0]);
  if (found) return 0;
  if (found.error().code() == Errc::not_found) return 1;
  return std::move(found.error());
}

struct InspectOptions : RegistryFlags {
  bool verbose = false;
};
constexpr Option<InspectOptions> kInspectOptions[] = {
    {"authfile", 0, &InspectOptions::authfile, kAuthfile},
    {"tls-verify", 0, &InspectOptions::tls_verify, kTlsVerify, {.shown_default = "true"}},
    {"verbose", 'v', &InspectOptions::verbose, "Added for Docker compatibility", {.hidden = true}},
};
constexpr OptionTable kInspectTables[] = {option_table<InspectOptions>(kInspectOptions)};

Result<int> inspect(Invocation& call, InspectOptions& options) {
  engine::RegistryAccess access = TRY(registry_access(options));
  engine::Engine* engine = TRY(call.engine());
  bool single = false;
  std::string text = TRY(engine::read_list(*engine, call.args[0], access, &single));
  json::Value value = TRY_CTX(json::parse(text), call.args[0]);
  if (single)
    log::warn(concat(call.args[0], " is not a manifest list but a single image: its manifest"));
  call.out.line(json::dump(value, 4));
  return 0;
}

Result<int> remove(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine::remove_from_list(*engine, call.args[0], call.args[1]));
  call.out.line(id);
  return 0;
}

struct RmOptions {
  bool ignore = false;
};
constexpr Option<RmOptions> kRmOptions[] = {
    {"ignore", 'i', &RmOptions::ignore, "Ignore errors when a specified manifest is missing"},
};
constexpr OptionTable kRmTables[] = {option_table<RmOptions>(kRmOptions)};

Result<int> rm(Invocation& call, RmOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  std::vector<std::string> untagged, deleted;
  ErrorList errors;
  for (const std::string& name : call.args) {
    auto list = engine::find_list(*engine, name);
    if (!list) {
      bool missing = list.error().code() == Errc::not_found;
      if (!missing || !options.ignore)
        errors.add(missing ? std::move(list.error()).with_exit(1) : std::move(list.error()));
      continue;
    }
    auto removed = engine->remove_image(name, {});
    if (!removed) {
      errors.add(std::move(removed.error()));
      continue;
    }
    for (std::string& line : *removed)
      (line.starts_with("Untagged") ? untagged : deleted).push_back(std::move(line));
  }
  for (const std::string& line : untagged) call.out.line(line);
  for (const std::string& line : deleted) call.out.line(line);
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kManifestCreateCommand = make_command<CreateOptions, create>(
    {.summary = "Create manifest list or image index",
     .usage = "[options] LIST [IMAGE...]",
     .description = "Creates manifest lists or image indexes. An image is one of the store, else "
                    "of a registry.",
     .examples = "mylist:v1.11\nmylist:v1.11 arch-specific-image-to-add\n"
                 "--all mylist:v1.11 docker://quay.io/tagged-image-to-add",
     .args = ArgRule::at_least(1)},
    kCreateTables);

const constinit Command kManifestAddCommand = make_command<AddOptions, add>(
    {.summary = "Add images to a manifest list or image index",
     .usage = "[options] LIST IMAGE [IMAGE...]",
     .description = "Adds images to a manifest list or image index.",
     .examples = "mylist:v1.11 image:v1.11-amd64\nmylist:v1.11 docker://quay.io/imageName",
     .args = ArgRule::at_least(2)},
    kAddTables);

const constinit Command kManifestAnnotateCommand = make_command<AnnotateOptions, annotate>(
    {.summary = "Add or update information about an entry in a manifest list or image index",
     .usage = "[options] LIST IMAGE",
     .description = "Adds or updates information about an entry in a manifest list or image index. "
                    "The image is named by its digest, or as the store knows it.",
     .examples = "--annotation left=right mylist:v1.11 sha256:15352d97781ffdf357bf3459c037be3efac4"
                 "133dc9070c2dce7eca7c05c3e736",
     .args = {1, 2}},
    kAnnotateTables);

const constinit Command kManifestExistsCommand = make_command<NoOptions, exists>(
    {.summary = "Check if a manifest list exists in local storage",
     .usage = "MANIFEST",
     .description = "If the manifest list exists in local storage, the command exits with 0, "
                    "otherwise the exit code will be 1.",
     .examples = "mylist",
     .args = ArgRule::exactly(1)});

const constinit Command kManifestInspectCommand = make_command<InspectOptions, inspect>(
    {.summary = "Display the contents of a manifest list or image index",
     .usage = "[options] IMAGE",
     .description = "Display the contents of a manifest list or image index: of the store, else of "
                    "a registry.",
     .examples = "localhost/list\nquay.io/repository/image:tag",
     .args = ArgRule::exactly(1)},
    kInspectTables);

const constinit Command kManifestRemoveCommand = make_command<NoOptions, remove>(
    {.summary = "Remove an entry from a manifest list or image index",
     .usage = "LIST IMAGE",
     .description = "Removes an image from a manifest list or image index.",
     .examples = "mylist:v1.11 sha256:15352d97781ffdf357bf3459c037be3efac4133dc9070c2dce7eca7c05c3"
                 "e736",
     .args = ArgRule::exactly(2)});

const constinit Command kManifestRmCommand = make_command<RmOptions, rm>(
    {.summary = "Remove manifest list or image index from local storage",
     .usage = "[options] LIST [LIST...]",
     .description = "Remove manifest list or image index from local storage.",
     .examples = "mylist:v1.11",
     .args = ArgRule::at_least(1)},
    kRmTables);

}  // namespace minke::cli
