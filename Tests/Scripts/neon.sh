#!/bin/sh
# Compares the bits of the kernels on 64-bit ARM with those of this machine.
#
# The C kernels and KernelHashes.c are built twice: for this machine, and for aarch64 by the same compiler, and run under
# qemu's user emulation. The hashes of every case must be equal. Where something is missing for that, one line says what,
# and the script ends with success.
#
#     Tests/Scripts/neon.sh
#
# CLANG and QEMU name other programs than `clang` and `qemu-aarch64`. On Debian the rest is in libc6-dev-arm64-cross,
# libgcc-12-dev-arm64-cross (or gcc-aarch64-linux-gnu) and qemu-user.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
kernels=$root/Sources/ReelKernels
driver=$root/Tests/Scripts/KernelHashes.c
clang=${CLANG:-clang}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "neon.sh: skipped: $1"
    exit 0
}

command -v "$clang" >/dev/null || skip "no C compiler '$clang' (set CLANG)"
qemu=${QEMU:-}
for candidate in qemu-aarch64 qemu-aarch64-static; do
    if [ -z "$qemu" ] && command -v "$candidate" >/dev/null; then qemu=$candidate; fi
done
[ -n "$qemu" ] || skip "no qemu-aarch64 (Debian: qemu-user)"

# Plain flags: what a package manager's release build passes.
flags="-O2 -std=gnu11 -I$kernels/include"
cross="--target=aarch64-linux-gnu -fuse-ld=lld -static"
echo 'int main(void) { return 0; }' >"$work/empty.c"
"$clang" $cross -o "$work/empty" "$work/empty.c" 2>/dev/null \
    || skip "'$clang' links nothing for aarch64-linux-gnu (Debian: libc6-dev-arm64-cross and libgcc-12-dev-arm64-cross)"
"$qemu" "$work/empty" || skip "'$qemu' runs nothing"

"$clang" $flags -o "$work/host" "$driver" "$kernels"/*.c -lm
"$clang" $flags $cross -o "$work/arm" "$driver" "$kernels"/*.c -lm

"$work/host" portable >"$work/expected"
status=0
compare() {
    if cmp -s "$work/expected" "$work/found"; then
        echo "neon.sh: $1: $(wc -l <"$work/found" | tr -d ' ') cases, the same bits"
    else
        echo "neon.sh: $1: other bits than the portable kernels of this machine:"
        diff "$work/expected" "$work/found" | head -n 40 || true
        status=1
    fi
}
for isa in avx2 avx512; do
    if "$work/host" "$isa" >"$work/found" 2>/dev/null; then compare "$isa, here"; fi
done
for isa in portable neon; do
    "$qemu" "$work/arm" "$isa" >"$work/found"
    compare "$isa, aarch64"
done
exit $status
