#!/bin/bash
# events: filters of one key are alternatives, keys must all hold; since and until take every form of time.
. "$(dirname "$0")/../../lib.sh"

mkdir -p u
log() { # TIME TYPE STATUS NAME ATTRIBUTES
  n=$((n + 1))
  printf '{"ID":"%s","Image":"i:1","Name":"%s","Status":"%s","Time":"%s","Type":"%s","Attributes":%s}\n' \
    "$(printf %064d $n)" "$4" "$3" "$1" "$2" "$5" >>u/events.log
}
n=0
log 2020-01-01T00:00:00Z container create a '{"k":"v"}'
log 2020-01-02T00:00:00.5Z container died a '{"k":"v"}'
log 2020-01-03T00:00:00+02:00 container start b '{"k":"w","l":""}'
printf 'garbage\n{"cut":"sho\n' >>u/events.log
log 2020-01-04T00:00:00Z image pull i:1 null
log 2020-01-05T00:00:00Z volume create vol null
got() { minke events --stream=false --format '{{.Name}}-{{.Status}}' "$@" | xargs; }
assert_eq 'a-create a-died b-start i:1-pull vol-create' "$(got)"
assert_eq 'a-create a-died' "$(got -f event=create -f status=died -f type=container)"
assert_eq 'a-died' "$(got -f event=die)"
assert_eq 'a-create a-died b-start' "$(got -f container=a -f container=000000000000000000000000000000000000000000000000000000000000000)"
assert_eq 'b-start' "$(got -f label=k=w)"
assert_eq 'b-start' "$(got -f label=k -f label=l)"
assert_eq 'i:1-pull' "$(got -f image=i)"
assert_eq 'vol-create' "$(got -f volume=vo)"
assert_eq 'a-died b-start' "$(got --since 2020-01-01T00:00:00Z --until 2020-01-03T12:00)"
assert_eq 'i:1-pull vol-create' "$(got --since 1578009600)"
assert_eq 'a-create' "$(got --until 2020-01-02)"
assert_eq '' "$(got --since 1h)"
assert_eq 5 "$(got --until 1h | wc -w)"
assert_error 125 'foo=x is an invalid filter' minke events --stream=false -f foo=x
assert_error 125 'foo is an invalid filter' minke events --stream=false -f foo
assert_error 125 'unable to convert since time of x' minke events --stream=false --since x
assert_error 125 'takes no arguments' minke events --stream=false x
ok minke events --stream=false -f container=a -f event=died --no-trunc=false
assert_match ' container died 000000000000 \(image=i:1, name=a, k=v\)$' "$out"
ok minke events --stream=false -f type=volume --format json
assert_eq '{"ID":"0000000000000000000000000000000000000000000000000000000000000005","Image":"i:1","Name":"vol","Status":"create","time":1578182400,"timeNano":1578182400000000000,"Type":"volume","Attributes":null}' "$out"
