#!/bin/bash
# A transfer that is cut somewhere is gone on with; one that is always cut is one clear line, and the next pull works.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull --quiet --tls-verify=false --retry-delay 10ms "$@"; }

for fault in manifest:cut={headers,first,last} config:cut=middle layer:cut={headers,first,middle,last}; do
  bad_registry --layer-size 200000 --fault "$fault*1"
  ok pull "$REG/good/image"
  ok minke rmi "$out"
done
# the rest of a layer is asked for, not all of it again
bad_registry --layers 1 --layer-size 200000 --fault 'layer:cut=middle*1'
ok pull "$REG/good/image"
assert_match 'bytes=[1-9][0-9]*-' "$(requests)"
ok minke rmi "$out"

for where in ping manifest config layer; do
  bad_registry --fault "$where:cut=headers"
  expect_exit 125 pull --retry 1 "$REG/good/image"
  one_fault
done
bad_registry
ok pull "$REG/good/image"
