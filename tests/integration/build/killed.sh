#!/bin/bash
# Killed at any step of a build: nothing is left but cached steps, and the next build goes on from them.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'no failpoints'
need_image
mkdir ctx
for step in build:1 build.step:2 build.step:3 engine.create:4 engine.step:1 engine.start:4 engine.step:2 engine.step:3 \
  build.seal:1 build.seal:2 build.seal:3 build:2 store.load:1 store.load:3 store.load:4 build:3; do
  printf 'FROM localhost/busybox\nRUN echo one >/one\nRUN echo two >/two; echo %s\n' "$step" >C
  rc=0
  env MINKE_FAILPOINT=$step "$MINKE" "${engine_options[@]}" build --network none -t made -f C ctx >o 2>&1 || rc=$?
  [ $rc = 137 ] || [ $rc = 125 ] || fail "$step: exit code $rc: $(cat o)"
  ok minke ps -a --external
  ok minke build -q --network none -t made -f C ctx
  ok run made cat /one /two
  assert_eq $'one\ntwo' "$out"
  ok minke rmi made
done
ok minke build -q --network none -f C ctx
within 20 eval '[ -z "$(ls -A "$T/r/containers")" ]'
nothing_staged
# while the steps go elsewhere: the folder there has the old or the new, and what carried them goes with the next such build
minke image prune -f >/dev/null
images=$(minke images -aq | wc -l)
for step in 1 2; do
  printf 'FROM localhost/busybox\nRUN echo %s >/one\n' "$step" >C
  expect_exit 137 env MINKE_FAILPOINT="build.exchange:$step" "$MINKE" "${engine_options[@]}" build -q --network none -t made \
    --cache-to type=local,dest=kept -f C ctx
  assert_eq $((images + 2)) "$(minke images -aq | wc -l)" "images at build.exchange:$step"
  ok minke build -q --network none -t made --cache-to type=local,dest=kept -f C ctx
  ok minke rmi made
  assert_eq "$images" "$(minke images -aq | wc -l)" "images after build.exchange:$step"
  assert_eq stage-0 "$(ls kept)"
done
nothing_staged
