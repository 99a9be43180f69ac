#!/bin/sh
# Runs the tests under a sanitizer.
#
#     Tests/Scripts/sanitize.sh address [arguments of swift test]
#     Tests/Scripts/sanitize.sh thread [arguments of swift test]
#
# Each has a build of its own, in .build/address and .build/thread. Where the sanitizer is missing, one line says so, and the
# script ends with success. Left out are the tests that cannot run so:
#
#   AllocationTests    count allocations by standing in front of malloc, where the sanitizers stand
#   FuzzTests          (address only) ask for memory that no machine has, which is no error in them and one in the sanitizer
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
kind=${1:-}
case "$kind" in
address) skipped='AllocationTests|FuzzTests' ;;
thread) skipped='AllocationTests' ;;
*)
    echo "usage: sanitize.sh address|thread [arguments of swift test]" >&2
    exit 1
    ;;
esac
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'print(0)' >"$work/main.swift"
if ! swiftc -sanitize="$kind" "$work/main.swift" -o "$work/main" >/dev/null 2>&1 || ! "$work/main" >/dev/null 2>&1; then
    echo "sanitize.sh: skipped: this toolchain has no $kind sanitizer"
    exit 0
fi

cd "$root"
# Swift keeps what programs hold until they end, and no leak is found by looking then: `reel-proof` counts buffers instead.
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0} \
    TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:suppressions=$root/Tests/Scripts/thread-suppressions.txt} \
    swift test --scratch-path ".build/$kind" --sanitize="$kind" --skip "$skipped" "$@"
