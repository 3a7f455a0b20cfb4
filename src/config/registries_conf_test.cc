#include "config/registries_conf.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/str.h"
#include "config/testing_folder.h"

namespace minke::config {
namespace {

RegistriesConf conf_of(std::string_view text) {
  RegistriesConf conf;
  Status read = merge_registries_conf(text, "f.conf", &conf);
  EXPECT_TRUE(read.ok()) << read.error().message();
  conf.path = conf.where = "f.conf";
  return conf;
}

std::string fault_of(std::string_view text) {
  RegistriesConf conf;
  Status read = merge_registries_conf(text, "f.conf", &conf);
  return read ? "" : read.error().message();
}

// "mirror.local/a/b? quay.io/a/b": in order, "?" where it is insecure.
std::string places_of(const RegistriesConf& conf, std::string_view host,
                      std::string_view repository, bool by_digest = false) {
  auto endpoints = resolve(conf, host, repository, by_digest);
  if (!endpoints) return "error: " + endpoints.error().message();
  std::string out;
  for (const Endpoint& one : *endpoints)
    out += concat(out.empty() ? "" : " ", one.name(), one.insecure ? "?" : "");
  return out;
}

// The example of containers-registries.conf(5).
constexpr const char* kManual = R"(
unqualified-search-registries = ["example.com"]

[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"

[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"

[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true

[[registry]]
location = "registry.com"

[[registry.mirror]]
location = "mirror.registry.com"
)";

TEST(RegistriesConf, ExampleOfTheManual) {
  RegistriesConf conf = conf_of(kManual);
  EXPECT_EQ(places_of(conf, "example.com", "foo/myimage"),
            "example-mirror-0.local/mirror-for-foo/myimage "
            "example-mirror-1.local/mirrors/foo/myimage? "
            "internal-registry-for-example.com/bar/myimage");
  EXPECT_EQ(places_of(conf, "registry.com", "a"), "mirror.registry.com/a registry.com/a");
  // A prefix ends at a component.
  EXPECT_EQ(places_of(conf, "example.com", "foobar/x"), "example.com/foobar/x");
  EXPECT_EQ(places_of(conf, "other.org", "x"), "other.org/x");
}

TEST(RegistriesConf, TheLongestPrefixCounts) {
  RegistriesConf conf = conf_of(R"(
[[registry]]
location = "quay.io"
insecure = true
[[registry]]
prefix = "quay.io/team"
location = "team.example/kept"
[[registry]]
prefix = "*.example.org"
[[registry]]
prefix = "*.deep.example.org"
location = "deep.local"
)");
  EXPECT_EQ(places_of(conf, "quay.io", "a/b"), "quay.io/a/b?");
  EXPECT_EQ(places_of(conf, "quay.io", "team/app"), "team.example/kept/app");
  EXPECT_EQ(places_of(conf, "a.example.org", "x"), "a.example.org/x");
  EXPECT_EQ(places_of(conf, "a.deep.example.org", "x/y"), "deep.local/x/y");
  // The wildcard is about hosts below, and never about a path.
  EXPECT_EQ(find_rule(conf, "example.org/x"), nullptr);
  EXPECT_EQ(find_rule(conf, "evil.com/a.example.org/x"), nullptr);
  EXPECT_NE(find_rule(conf, "a.b.example.org/x"), nullptr);
}

TEST(RegistriesConf, MirrorsByDigestAndByTag) {
  RegistriesConf conf = conf_of(R"(
[[registry]]
location = "quay.io"
[[registry.mirror]]
location = "digests.local"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.local"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.local"
[[registry]]
location = "old.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m.local"
)");
  EXPECT_EQ(places_of(conf, "quay.io", "a", true), "digests.local/a all.local/a quay.io/a");
  EXPECT_EQ(places_of(conf, "quay.io", "a", false), "tags.local/a all.local/a quay.io/a");
  EXPECT_EQ(places_of(conf, "old.io", "a", true), "m.local/a old.io/a");
  EXPECT_EQ(places_of(conf, "old.io", "a", false), "old.io/a");
  auto push = resolve_push(conf, "quay.io", "a");
  ASSERT_TRUE(push.ok());
  EXPECT_EQ(push->name(), "quay.io/a");
}

TEST(RegistriesConf, ABlockedOneIsAnError) {
  RegistriesConf conf = conf_of("[[registry]]\nlocation = \"bad.io\"\nblocked = true\n");
  EXPECT_EQ(places_of(conf, "bad.io", "a"), "error: registry bad.io is blocked in f.conf");
  EXPECT_FALSE(resolve_push(conf, "bad.io", "a").ok());
  EXPECT_EQ(places_of(conf, "bad.io.org", "a"), "bad.io.org/a");
}

TEST(RegistriesConf, ShortNames) {
  RegistriesConf conf = conf_of(R"(
unqualified-search-registries = ["docker.io", "quay.io"]
short-name-mode = "enforcing"
[aliases]
"debian" = "docker.io/library/debian"
"team/app" = "registry.local:5000/team/app"
)");
  auto alias = short_name_candidates(conf, "team/app", false);
  ASSERT_TRUE(alias.ok());
  EXPECT_EQ(join(alias->candidates, " "), "registry.local:5000/team/app");
  EXPECT_TRUE(alias->alias);
  EXPECT_EQ(alias->where, "f.conf");
  auto none = short_name_candidates(conf, "busybox", false);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message(),
            "short-name resolution enforced but cannot prompt without a TTY");
  auto asked = short_name_candidates(conf, "busybox", true);
  ASSERT_TRUE(asked.ok());
  EXPECT_TRUE(asked->ambiguous);
  conf.short_name_mode = ShortNameMode::permissive;
  auto both = short_name_candidates(conf, "busybox", false);
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(join(both->candidates, " "), "docker.io/library/busybox quay.io/busybox");
  EXPECT_FALSE(both->ambiguous);
  EXPECT_FALSE(both->alias);
  EXPECT_EQ(both->where, "f.conf");
  conf.short_name_mode = ShortNameMode::disabled;
  auto unaliased = short_name_candidates(conf, "debian", false);
  ASSERT_TRUE(unaliased.ok());
  EXPECT_EQ(unaliased->candidates.size(), 2U);
  conf.unqualified_search.clear();
  EXPECT_EQ(short_name_candidates(conf, "x", false).error().message(),
            "short-name \"x\" did not resolve to an alias and no unqualified-search registries are "
            "defined in \"f.conf\"");
  auto bare = short_name_candidates(RegistriesConf(), "x", false);
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(join(bare->candidates, " "), "docker.io/library/x");
}

TEST(RegistriesConf, FaultsNameFileLineAndKey) {
  struct Row {
    const char *text, *fault;
  };
  constexpr Row kRows[] = {
      {"\nunqualified-search-registries = \"x\"",
       "f.conf:2: unqualified-search-registries: must be a list of strings, is a string"},
      {"unqualified-search-registries = [\"https://x\"]",
       "f.conf:1: unqualified-search-registries: \"https://x\" is no registry"},
      {"short-name-mode = \"sometimes\"",
       "f.conf:1: short-name-mode: must be enforcing, permissive or disabled, is \"sometimes\""},
      {"[registries.search]\nregistries = []",
       "f.conf:1: registries: the first version of this format is not read: use "
       "unqualified-search-registries and [[registry]]"},
      {"[[registry]]\ninsecure = true", "f.conf:1: registry: has neither prefix nor location"},
      {"[[registry]]\nlocation = \"https://x\"",
       "f.conf:2: registry.location: \"https://x\": is a host, and has no scheme"},
      {"[[registry]]\nlocation = \"x\"\nblocked = 1",
       "f.conf:3: registry.blocked: must be true or false, is an integer"},
      {"[[registry]]\nlocation = \"x/y:1\"",
       "f.conf:2: registry.location: \"x/y:1\": a tag or a digest is not supported here"},
      {"[[registry]]\nlocation = \"x\"\n[[registry]]\nlocation = \"x\"",
       "f.conf:3: registry.prefix: \"x\" is there twice"},
      {"[[registry]]\nprefix = \"a.*.b\"\nlocation = \"x\"",
       "f.conf:1: registry.prefix: \"a.*.b\": a wildcard stands only at the beginning, as in "
       "*.example.com"},
      {"[[registry]]\nlocation = \"x\"\n[[registry.mirror]]\ninsecure = true",
       "f.conf:3: registry.mirror.location: is missing"},
      {"[[registry]]\nlocation = \"x\"\n[[registry.mirror]]\nlocation = \"m\"\n"
       "pull-from-mirror = \"no\"",
       "f.conf:5: registry.mirror.pull-from-mirror: must be all, digest-only or tag-only, is "
       "\"no\""},
      {"[aliases]\n\"quay.io/x\" = \"quay.io/y\"",
       "f.conf:2: aliases.quay.io/x: must be a short name without registry, tag and digest"},
      {"[aliases]\n\"x\" = \"y\"",
       "f.conf:2: aliases.x: \"y\" must be a full name without tag and digest"},
      {"[aliases]\n\"x\" = 1", "f.conf:2: aliases.x: must be a string, is an integer"},
  };
  for (const Row& row : kRows) EXPECT_EQ(fault_of(row.text), row.fault) << row.text;
  EXPECT_TRUE(fault_of("x = [").starts_with("f.conf:1: ")) << fault_of("x = [");
}

TEST(RegistriesConf, UnknownKeysAreNoted) {
  RegistriesConf conf;
  std::vector<std::string> notes;
  ASSERT_TRUE(merge_registries_conf("new-key = 1\n[[registry]]\nlocation = \"x\"\nother = 2\n",
                                    "f.conf", &conf, &notes)
                  .ok());
  EXPECT_EQ(join(notes, "|"),
            "f.conf:1: new-key: no effect: not known|f.conf:4: registry.other: no effect: not "
            "known");
}

TEST(RegistriesConf, DropInsReplaceAndAdd) {
  TestingFolder folder;
  folder.write("etc/containers/registries.conf",
               "unqualified-search-registries = [\"a.io\"]\n[aliases]\n\"x\" = \"a.io/x\"\n"
               "\"y\" = \"a.io/y\"\n[[registry]]\nlocation = \"q.io\"\n");
  folder.write("etc/containers/registries.conf.d/10.conf",
               "unqualified-search-registries = [\"b.io\"]\n[aliases]\n\"x\" = \"b.io/x\"\n");
  folder.write("etc/containers/registries.conf.d/20.conf",
               "[aliases]\n\"y\" = \"\"\n[[registry]]\nlocation = \"q.io\"\ninsecure = true\n");
  folder.write("etc/containers/registries.conf.d/30.conf.bak", "nonsense");
  folder.write("home/.config/containers/registries.conf.d/10.conf",
               "[aliases]\n\"z\" = \"c.io/z\"\n");
  auto conf = load_registries_conf(folder.places());
  ASSERT_TRUE(conf.ok()) << conf.error().message();
  EXPECT_EQ(join(conf->unqualified_search, " "), "b.io");
  EXPECT_EQ(conf->aliases.size(), 2U);
  EXPECT_EQ(conf->aliases["x"], "b.io/x");
  EXPECT_EQ(conf->aliases["z"], "c.io/z");
  ASSERT_EQ(conf->rules.size(), 1U);
  EXPECT_TRUE(conf->rules[0].insecure);

  // The user's own file stands in place of the system's.
  folder.write("home/.config/containers/registries.conf",
               "unqualified-search-registries = [\"own.io\"]\n");
  conf = load_registries_conf(folder.places());
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(join(conf->unqualified_search, " "), "own.io");
  EXPECT_TRUE(conf->rules.empty());
  EXPECT_EQ(conf->aliases.size(), 1U);

  RegistryPlaces named = folder.places();
  named.conf = folder.path() + "/nosuch.conf";
  EXPECT_FALSE(load_registries_conf(named).ok());
}

TEST(RegistriesConf, NoFileAtAllIsNoFault) {
  TestingFolder folder;
  auto conf = load_registries_conf(folder.places());
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(conf->where, "");
}

TEST(RegistriesConf, AChoiceIsRemembered) {
  TestingFolder folder;
  ::setenv("XDG_CACHE_HOME", (folder.path() + "/cache").c_str(), 1);
  RegistryPlaces places = folder.places();
  ASSERT_TRUE(remember_short_name(places, "x", "a.io/x").ok());
  ASSERT_TRUE(remember_short_name(places, "y", "b.io/y").ok());
  ASSERT_TRUE(remember_short_name(places, "x", "c.io/x").ok());
  auto conf = load_registries_conf(places);
  ::unsetenv("XDG_CACHE_HOME");
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(conf->aliases["x"], "c.io/x");
  EXPECT_EQ(conf->aliases["y"], "b.io/y");
}

}  // namespace
}  // namespace minke::config
