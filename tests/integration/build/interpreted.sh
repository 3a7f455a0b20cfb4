#!/bin/bash
# RUN of an image of another architecture, by the interpreter that binfmt_misc knows, whatever it is called there; one that is
# switched off is none. It is known in the user's namespace only, which Linux has since 6.7.
# needs: user
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_program python3
[ "$(uname -m)" = x86_64 ] || skip 'this test is for x86_64'
qemu=$(command -v qemu-aarch64-static) || skip 'no qemu-aarch64-static'
if [ -z "${IN_NAMESPACE:-}" ]; then
  code=0
  IN_NAMESPACE=1 "$MINKE" unshare "$(readlink -f "$0")" || code=$?
  exit $code
fi
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null || skip 'binfmt_misc is not for user namespaces here'

# A program of arm64 that makes the folder /made and prints a line.
mkdir ctx
python3 - ctx/hello <<'E'
import struct, sys
text = b"hello from afar\n"
code = [0x92800C60, 0, 0xD2803DA2, 0xD2800448, 0xD4000001,  # mkdirat(AT_FDCWD, path, 0755)
        0xD2800020, 0, 0xD2800002 | len(text) << 5, 0xD2800808, 0xD4000001,  # write(1, text, length)
        0xD2800000, 0xD2800BA8, 0xD4000001]  # exit(0)
adr = lambda place, target: 0x10000001 | ((target - place * 4) & 3) << 29 | ((target - place * 4) >> 2) << 5
end = len(code) * 4
code[1], code[6] = adr(1, end), adr(6, end + 8)
body = struct.pack("<%dI" % len(code), *code) + b"/made\0\0\0" + text
base, head = 0x400000, 64 + 56
elf = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, base + head, 64, 0, 0, 64, 56, 1, 64, 0, 0)
elf += struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, head + len(body), head + len(body), 4096)
open(sys.argv[1], "wb").write(elf + body)
E
chmod 755 ctx/hello
printf 'FROM scratch\nCOPY hello /hello\nRUN ["/hello"]\n' >ctx/Containerfile
refused() { assert_error 125 'RUN of an image for arm64 on amd64: no interpreter is registered' minke build --platform linux/arm64 ctx; }
refused
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":another-name:M::$magic:$mask:$qemu:OCF" >/proc/sys/fs/binfmt_misc/register
echo 0 >/proc/sys/fs/binfmt_misc/another-name
refused
echo 1 >/proc/sys/fs/binfmt_misc/another-name
ok minke build --platform linux/arm64 -t far ctx
assert_match 'hello from afar' "$out$err"
ok minke run --rm --network none far /hello
assert_eq 'hello from afar' "$out"
