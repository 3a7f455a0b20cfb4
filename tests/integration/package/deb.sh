#!/bin/bash
# The Debian package is installed in a fresh Debian, runs a container there, is removed and purged, and leaves nothing.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'the package is of minke'
need_program dpkg-deb
need_program dpkg-shlibdeps
need_program strip
[ -s "$IMAGES/debian-rootfs.tar" ] || skip 'no Debian root file system'
tools=$(cd "$(dirname "$0")/../../../tools" && pwd)
is_sanitized && skip 'a build with a sanitizer is not packaged'

ok "$tools/make-deb" --bin "$BIN" --output "$T"
package=$out
if command -v lintian >/dev/null; then
  # Who builds it has no mail address that lintian would believe.
  ok lintian --allow-root --fail-on error --suppress-tags bogus-mail-host "$package"
fi
ok dpkg-deb --field "$package" Depends
assert_match 'libc6' "$out"

root=$T/root
mkdir "$root"
tar -xf "$IMAGES/debian-rootfs.tar" -C "$root" --exclude='./dev/*'
cp "$package" "$root/minke.deb"
cp "$IMAGES/busybox.tar" "$root/busybox.tar"
listing() { (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/log -o -path ./proc -o -path ./sys -o -path ./dev \
  -o -path ./run -o -path ./tmp -o -path ./var/cache/ldconfig \) -prune -o -print | sort); }
# A root of its own with fresh proc and sysfs, as a booted machine has them; all of it goes with its mount namespace.
inside() {
  unshare --mount --pid --fork bash -ec '
    mount --rbind "$1" "$1"; cd "$1"
    mount -t proc proc proc; mount --rbind /sys sys; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp
    mount --rbind /dev dev
    shift; exec chroot . "$@"' - "$root" "$@"
}
export DEBIAN_FRONTEND=noninteractive
# What it depends on comes from where the host's packages come from.
depends=$(dpkg-deb --field "$package" Depends | tr ',' '\n' | sed 's/^ *\([^ ]*\).*/\1/')
cp -aL /etc/apt/. "$root/etc/apt/"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# shellcheck disable=SC2086 # a list
inside sh -ec 'apt-get update -qq; apt-get install -y -qq --no-install-recommends "$@"' - $depends >"$T/apt" 2>&1 ||
  skip "the packages it depends on cannot be had: $(tail -n 1 "$T/apt")"
listing >"$T/before"
ok inside dpkg -i /minke.deb
assert_eq minke "$(inside minke --version | cut -d' ' -f1)"
assert_match 'podman version' "$(inside podman --version)"
assert_eq /usr/bin/minke "$(inside readlink -f /usr/bin/docker)"
[ -s "$root/usr/share/bash-completion/completions/minke" ] || fail 'no completion of bash'
[ -s "$root/usr/share/zsh/vendor-completions/_minke" ] || fail 'no completion of zsh'
[ -s "$root/usr/share/fish/vendor_completions.d/minke.fish" ] || fail 'no completion of fish'
ok inside sh -ec 'minke load -q -i /busybox.tar; podman run --rm --network none localhost/busybox:latest echo from the package'
assert_match 'from the package' "$out"

# Somebody else's podman is left alone.
ok inside dpkg -r minke
if [ -e "$root/usr/bin/podman" ] || [ -L "$root/usr/bin/podman" ]; then fail 'the name podman stays behind'; fi
echo '#!/bin/sh' >"$root/usr/bin/podman"
chmod 755 "$root/usr/bin/podman"
ok inside dpkg -i /minke.deb
assert_eq '#!/bin/sh' "$(cat "$root/usr/bin/podman")"
ok inside dpkg -P minke
assert_eq '#!/bin/sh' "$(cat "$root/usr/bin/podman")"
rm "$root/usr/bin/podman"
listing >"$T/after"
assert_eq '' "$(diff "$T/before" "$T/after")" 'what is left'
