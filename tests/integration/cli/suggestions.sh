#!/bin/bash
# A slip in a command or option names the right one; texts and codes that scripts match on are Podman's.
. "$(dirname "$0")/../../lib.sh"
assert_error 125 'unrecognized command `.* rmm`' minke rmm
assert_match $'Did you mean this\\?\n.*\trm(\n|$)' "$err"
assert_match " --help' for more information" "$err"
assert_error 125 'unrecognized command `.* container lsst`' minke container lsst
assert_error 125 'unknown flag: --fromat' minke ps --fromat x
is_podman || assert_match 'Did you mean --format' "$err"
assert_match "See '.* ps --help'" "$err"
assert_error 125 "unknown shorthand flag: 'x' in -x" minke ps -x
assert_error 125 'flag needs an argument: --memory' minke run --memory
assert_error 1 'Log Level "foo" is not supported, choose from: trace, debug, info, warn, warning, error, fatal, panic' \
  minke --log-level foo ps
# Help of what is known of it.
ok minke container nosuch --help
assert_match 'Available Commands' "$out"
ok minke nosuch --help
assert_match 'Available Commands' "$out"
while IFS='|' read -r code text words; do
  # shellcheck disable=SC2086 # words
  assert_error "$code" "$text" minke $words
done <<'T'
125|you must provide at least one name or id|rm
1|no container with name or ID "nosuch" found: no such container|rm nosuch
125|no such object: "nosuch"|inspect nosuch
125|nosuch: image not known|image inspect nosuch
1|no volume with name "nosuch" found: no such volume|volume rm nosuch
125|no such volume nosuch|volume inspect nosuch
1|nosuch: image not known|rmi nosuch
125|no container with name or ID "nosuch" found: no such container|start nosuch
125|you must provide at least one name or id|stop
125|specify at least one container name or ID to log|logs
125|exec requires the name or ID of a container or the --latest|exec
125|no container with name or ID "a" found: no such container|exec a true
125|requires at least 2 arg\(s\), only received 1|tag a
125|wait" requires a name, id, or the "--latest" flag|wait
125|you must provide at least one name or id|kill
125|requires at least 1 arg\(s\), only received 0|create
125|accepts at most 1 arg\(s\), received 2|images a b
125|ps` takes no arguments|ps foo
125|accepts at most 1 arg\(s\), received 2|volume create a b
125|load` takes no arguments|load x
125|need at least 1 argument|save
125|info` takes no arguments|info x
125|attach" requires a name, id, or the "--latest" flag|attach
125|accepts 1 arg\(s\), received 0|container exists
125|you must provide at least one name or id|pause
125|choose either one or more volumes or all|volume rm
125|unsupported pull policy "foo"|run --pull=foo img
T
