#!/usr/bin/env bash
# Compiles mediasoup-worker from the C++ sources in the mediasoup npm package against Debian's libraries.
#   build.sh <node_modules/mediasoup> <empty work folder> <file to write>
# For Debian 12+ and Ubuntu 24.04+, with the packages of build-packages.txt; needs no other rights. A last line of
# stderr that begins with `warning:` is for the operator.
set -euo pipefail

package=$1 work=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
[[ -f $package/worker/meson.build ]] || { echo "no C++ sources in $package" >&2; exit 1; }

# Debian's own source of libsrtp2, its patches applied, on OpenSSL instead of NSS, as a static library under
# $1/prefix. Reads the machine's own list of mirrors for sources, and changes none of it.
build_libsrtp() {
  local lists=$1/lists sources=$1/sources file
  mkdir -p "$lists/partial" "$sources" "$1/cache/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] && grep -q '^URIs:.*\(debian\|ubuntu\)' "$file" || continue
    sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$sources/${file##*/}"
  done
  [[ -f /etc/apt/sources.list ]] && sed -n -E 's/^deb /deb-src /p' /etc/apt/sources.list >"$sources/main.list"
  local apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$sources"
    -o "Dir::State::lists=$lists" -o "Dir::Cache=$1/cache" -o Acquire::http::Timeout=15 -o Acquire::Retries=1)
  # Chained with &&: the caller's `if` switches `set -e` off in here.
  (
    cd "$1" &&
      "${apt[@]}" update &&
      "${apt[@]}" source libsrtp2 &&
      cd libsrtp*-*/ &&
      ./configure --enable-openssl --prefix="$1/prefix" &&
      make -j"$(nproc)" libsrtp2.a &&
      make install
  )
}

options=(-DMEDIASOUP_WORKER_SOURCE="$package/worker")
warning=
if build_libsrtp "$work/srtp" >"$work/srtp.log" 2>&1; then
  options+=(-DSRTP2_ROOT="$work/srtp/prefix")
else
  tail -n 3 "$work/srtp.log" >&2
  warning="libsrtp2's source could not be had from Debian's mirror: calls cost twice the processor time"
fi

# The machine stays usable meanwhile: chats run on it.
nice cmake -G Ninja -S "$here" -B "$work/build" "${options[@]}"
nice cmake --build "$work/build"
mv "$work/build/mediasoup-worker" "$out"
[[ -z $warning ]] || echo "warning: $warning" >&2
