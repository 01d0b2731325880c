#!/usr/bin/env bash
# From Debian's source package of libsecp256k1 to src/nips/verify/bip340.wasm, which is what verifies signatures where
# no libsecp256k1 is found. The same bytes each time, from this compiler; to be run when the library or this is changed.
#
#   apt-get install --no-install-recommends clang-19 lld-19 xz-utils
#   .ci/bip340/build.sh [libsecp256k1_0.5.0.orig.tar.xz]      # default: fetched by apt-get source (a deb-src line for trixie)
#
# Why not a package from npm: those have the field of 52-bit limbs, which needs 128-bit products. WebAssembly has none,
# but clang pretends, so that the library chooses them by itself; with 64-bit products it verifies four times as fast.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "$here/../../src/nips/verify")
version=0.5.0
archive=libsecp256k1_$version.orig.tar.xz
archive_sum=13b70138be52d7a23bdf0ea39ed79799a30eb855f2ed82c028357f6432cd536b
compiler=19.1.7 # Debian's; what is committed was made by it

main() {
  need clang-19 wasm-ld-19 xz sha256sum
  [[ $(clang-19 -dumpversion) == "$compiler" ]] ||
    echo "Warning: clang $(clang-19 -dumpversion) instead of $compiler makes other bytes" >&2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if [ $# -gt 0 ]; then cp "$1" "$work/$archive"; else fetch; fi
  cd "$work"
  echo "$archive_sum  $archive" | sha256sum --check --quiet
  tar xf "$archive"
  compile "libsecp256k1-$version"
  install -m 644 bip340.wasm "$out/bip340.wasm"
  install -m 644 "libsecp256k1-$version/COPYING" "$out/bip340.COPYING"
  sha256sum "$out/bip340.wasm"
}

need() {
  local tool missing=()
  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  echo "Cannot build bip340.wasm: not found: ${missing[*]} (the packages stand at the top of $0)" >&2
  exit 1
}

fetch() {
  need apt-get
  (cd "$work" && apt-get source --download-only -qq -o APT::Sandbox::User=root "libsecp256k1=$version-2") && return
  echo "Cannot fetch the source of libsecp256k1 $version-2: is there a deb-src line for trixie? Or name $archive" >&2
  exit 1
}

# The library as it is, all of it; the linker keeps what bip340.c calls. Windows of 10 bits make tables of 32 KB, and
# larger ones are no faster to speak of. SIMD, by which the compiler adds and copies, is a few per cent. Memory cannot
# grow, and a stack that is too deep ends in a trap instead of in the library's data.
compile() {
  clang-19 --target=wasm32 -O3 -msimd128 -std=c11 -ffreestanding -nostdlib -Wall -Wno-unused-function \
    -I"$here/include" -isystem "$1/include" \
    -DUSE_FORCE_WIDEMUL_INT64=1 -DECMULT_WINDOW_SIZE=10 -DENABLE_MODULE_EXTRAKEYS=1 -DENABLE_MODULE_SCHNORRSIG=1 \
    -Wl,--no-entry,--strip-all,--gc-sections,--stack-first,--no-growable-memory \
    -o bip340.wasm "$here/bip340.c" "$1/src/secp256k1.c" "$1/src/precomputed_ecmult.c"
}

main "$@"
