#!/bin/bash
# cp never follows a container's link to the host (the races: cve-2018-15664), and an archive stays in its folder
# (CVE-2021-41089). CVE-2019-14271, CVE-2026-41567: nothing of the container is run.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir canary
echo secret >canary/file
chmod 755 canary
before=$(stat -c '%n %a %u:%g %Y %s' canary canary/file)
start --name c "$IMG" sleep 1000 >/dev/null
# the same path exists inside, so that each way has an end
ok minke exec c sh -c "mkdir -p $T/canary; echo inside >$T/canary/file; mkdir /good; echo inside >/good/file; ln -s $T/canary /abs
  ln -s ../../../../../../../../../../../..$T/canary /up; ln -s $T/canary/file /lf; ln -s /proc/1/root$T/canary /magic"
for link in abs up lf; do
  ok minke cp "c:/$link" "got-$link"
  if [ -d "got-$link" ]; then assert_eq inside "$(cat "got-$link/file")"; else assert_eq inside "$(cat "got-$link")"; fi
done
echo evil >file
ok minke cp file c:/abs/
ok minke cp file c:/lf
expect_exit 125 minke cp file c:/magic/x
ok minke exec c sh -c 'for p in tar gzip xz; do rm -f /bin/$p; printf "#!/bin/sh\ntouch /was-run\n" >/bin/$p; chmod 755 /bin/$p; done'
ls canary >list
assert_eq file "$(cat list)"
assert_eq "$before" "$(stat -c '%n %a %u:%g %Y %s' canary canary/file)"
# an archive is confined to the folder that it goes to
mkdir ev
echo evil >ev/e
tar -C ev -cPf evil.tar --transform "s,^e,../../../../../../..$T/canary/escaped," e
minke cp - c:/good <evil.tar 2>/dev/null || true
assert_eq file "$(ls canary)"
tar -C ev -czf - e | minke cp - c:/good
expect_exit 1 minke exec c test -e /was-run
