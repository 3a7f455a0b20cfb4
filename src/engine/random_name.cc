#include "engine/random_name.h"

#include <sys/random.h>

#include <cstdint>
#include <iterator>

#include "base/result.h"
#include "base/str.h"

namespace minke::engine {
namespace {

constexpr std::string_view kManners[] = {
    "agile",    "amber",  "ample",   "azure",    "bold",  "brave",   "breezy", "bright", "brisk",
    "calm",     "candid", "casual",  "civil",    "clear", "clever",  "coral",  "cosmic", "crisp",
    "daring",   "deep",   "direct",  "eager",    "early", "earnest", "easy",   "exact",  "fair",
    "fancy",    "firm",   "fleet",   "floating", "fluid", "fond",    "frank",  "fresh",  "frosty",
    "gentle",   "gifted", "glad",    "golden",   "grand", "happy",   "hardy",  "honest", "humble",
    "icy",      "ideal",  "jolly",   "keen",     "kind",  "lively",  "loyal",  "lucid",  "lucky",
    "lunar",    "mellow", "merry",   "mighty",   "misty", "modest",  "neat",   "nimble", "noble",
    "northern", "open",   "patient", "placid",   "plain", "polar",   "polite", "proud",  "quick",
    "quiet",    "rapid",  "ready",   "robust",   "salty", "serene",  "sharp",  "silent", "silver",
    "sincere",  "smooth", "snowy",   "sober",    "solid", "steady",  "sunny",  "swift",  "tidal",
    "tidy",     "tough",  "upbeat",  "vast",     "vivid", "warm",    "wild",   "wise",   "witty",
    "zesty"};
constexpr std::string_view kSwimmers[] = {
    "albacore",   "anchovy",   "angelfish", "auk",        "barnacle", "barracuda", "beluga",
    "blenny",     "bluefin",   "bonito",    "bream",      "capelin",  "catfish",   "char",
    "clam",       "cockle",    "cod",       "coelacanth", "conch",    "cormorant", "crab",
    "cuttlefish", "dab",       "dolphin",   "dugong",     "eel",      "eider",     "finwhale",
    "flounder",   "gannet",    "garfish",   "goby",       "grayling", "grouper",   "guillemot",
    "gull",       "gurnard",   "haddock",   "hake",       "halibut",  "herring",   "humpback",
    "jellyfish",  "kelp",      "kittiwake", "kraken",     "krill",    "lamprey",   "limpet",
    "lingcod",    "lobster",   "mackerel",  "manatee",    "marlin",   "minnow",    "mullet",
    "mussel",     "narwhal",   "nautilus",  "octopus",    "orca",     "otter",     "oyster",
    "pelican",    "penguin",   "perch",     "petrel",     "pike",     "pilchard",  "plaice",
    "pollock",    "porpoise",  "prawn",     "puffin",     "ray",      "remora",    "rorqual",
    "sailfish",   "salmon",    "sandeel",   "sardine",    "scallop",  "seahorse",  "seal",
    "shark",      "shrimp",    "skate",     "sole",       "sprat",    "squid",     "starfish",
    "sturgeon",   "swordfish", "tern",      "trout",      "tuna",     "turbot",    "turtle",
    "walrus",     "whelk"};

}  // namespace

std::string random_name() {
  std::uint32_t dice[2];
  MINKE_CHECK(::getrandom(dice, sizeof dice, 0) == sizeof dice);
  return concat(kManners[dice[0] % std::size(kManners)], "_",
                kSwimmers[dice[1] % std::size(kSwimmers)]);
}

}  // namespace minke::engine
