#!/usr/bin/env bash
# Installs the Debian packages that are missing, for the purposes named: build, test, check.
# Does nothing, quickly, when none is missing. Uses sudo when not root.
#
#     deploy/packages.sh build test
set -euo pipefail

build=(g++ cmake ninja-build pkg-config ca-certificates
       libzmq3-dev cppzmq-dev libcurl4-openssl-dev libprotobuf-dev protobuf-compiler libspdlog-dev
       libcli11-dev nlohmann-json3-dev libsimdjson-dev libssl-dev libxxhash-dev
       prometheus-cpp-dev
       zlib1g-dev libbrotli-dev libzstd-dev)  # libcurl's own, so nothing new at run time
test=(libgtest-dev python3 git nghttp2-server python3-prometheus-client)
check=(clang clang-format clang-tidy libclang-rt-14-dev spin)

wanted=()
for purpose in "$@"; do
  case $purpose in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    *)
      echo "packages.sh: $purpose: not build, test or check" >&2
      exit 2
      ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "packages.sh: not a Debian system; needed are: ${wanted[*]}" >&2
  exit 0 # they may be here under other names
fi

installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${wanted[@]}" 2>/dev/null || true) "
missing=()
for package in "${wanted[@]}"; do
  [[ $installed == *" installed:$package "* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "Installing ${missing[*]}" >&2
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "packages.sh: needs root or sudo to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -q &&
       "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
         apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  exit 1
fi
