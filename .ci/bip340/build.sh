#!/usr/bin/env bash
# From Debian's source package of libsecp256k1 to src/nips/verify/bip340.wasm, which is what verifies signatures where
# no libsecp256k1 is found. The same bytes each time, from these tools; to be run when the library or this is changed.
#
#   apt-get install --no-install-recommends clang-19 lld-19 binaryen xz-utils     # Debian 12
#   .ci/bip340/build.sh [--check] [libsecp256k1_0.5.0.orig.tar.xz]                # default: fetched by apt
#
# --check changes nothing, and fails when what is committed is not what comes out.
#
# Why not a package from npm: those have the field of 52-bit limbs, which needs 128-bit products. WebAssembly has none,
# but clang pretends, so that the library chooses them by itself; with 64-bit products it verifies four times as fast.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "$here/../../src/nips/verify")
version=0.5.0
archive=libsecp256k1_$version.orig.tar.xz
archive_sum=13b70138be52d7a23bdf0ea39ed79799a30eb855f2ed82c028357f6432cd536b
# Debian's; others make other bytes. clang runs wasm-opt, which is binaryen's, by itself when it finds one.
compiler=19.1.7
optimizer=108

main() {
  local check=false
  if [ "${1-}" = --check ]; then check=true && shift; fi
  need clang-19 wasm-ld-19 wasm-opt xz sha256sum
  pinned "$compiler" "$(clang-19 -dumpversion)" clang-19
  pinned "$optimizer" "$(wasm-opt --version | grep -oE '[0-9]+' | head -n 1)" wasm-opt
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if [ $# -gt 0 ]; then cp "$1" "$work/$archive"; else fetch; fi
  cd "$work"
  echo "$archive_sum  $archive" | sha256sum --check --quiet
  tar xf "$archive"
  compile "libsecp256k1-$version"
  if $check; then compare; else install_built; fi
  sha256sum "$out/bip340.wasm"
}

need() {
  local tool missing=()
  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ "${#missing[@]}" -eq 0 ] || die "not found: ${missing[*]} (the packages stand at the top of $0)"
}

pinned() {
  [ "$1" = "$2" ] || die "$3 is $2, and only $1 makes the bytes that are committed"
}

die() {
  echo "Cannot build bip340.wasm: $1" >&2
  exit 1
}

# By apt, with the checks of signatures that are its own, but from a list and into a directory of our own: the system's
# need not know of the release that has the source.
fetch() {
  need apt-get
  local apt=$work/apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" \
    >"$apt/sources.list"
  local options=(
    -qq
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt"
    -o APT::Sandbox::User=root
  )
  (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only "libsecp256k1=$version-2") ||
    die "the source of libsecp256k1 $version-2 cannot be fetched; name $archive"
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

compare() {
  cmp bip340.wasm "$out/bip340.wasm" && cmp "libsecp256k1-$version/COPYING" "$out/bip340.COPYING" ||
    die "what is committed is something else"
}

install_built() {
  install -m 644 bip340.wasm "$out/bip340.wasm"
  install -m 644 "libsecp256k1-$version/COPYING" "$out/bip340.COPYING"
}

main "$@"
