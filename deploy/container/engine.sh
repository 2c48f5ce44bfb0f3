#!/usr/bin/env bash
# Makes a Debian 12 machine able to build and run containers, as root: podman on runc, its network,
# docker-compose, and the base image. Does nothing, quickly, when all is there. Where no image
# registry can be reached the base image is made from Debian's packages.
#
#     deploy/container/engine.sh                what is above
#     deploy/container/engine.sh serve SOCKET   and then Docker's API at SOCKET, until it is ended
#
# Podman's settings are in a file of our own, by CONTAINERS_CONF: what the machine has is not touched.
set -euo pipefail

base=docker.io/library/debian:bookworm-slim
packages=(podman buildah runc conmon netavark aardvark-dns fuse-overlayfs iptables nftables
          mmdebstrap docker-compose ca-certificates)

fail() {
  echo "engine.sh: $*" >&2
  exit 1
}

quietly() { # shows what the command printed only when it fails
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    fail "failed: $*"
  fi
  rm -f "$log"
}

install_packages() {
  local command
  for command in podman buildah runc conmon mmdebstrap docker-compose; do
    command -v "$command" >/dev/null && continue
    command -v apt-get >/dev/null || fail "$command is missing, and this is no Debian"
    echo "Installing podman and docker-compose" >&2
    quietly apt-get update -q
    quietly env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${packages[@]}"
    return
  done
}

# runc: crun needs a newer or purer cgroup tree than some sandboxes have. The limits: podman's own
# defaults may be above what this process may ask for, and no container then starts.
write_settings() {
  mkdir -p "$(dirname "$CONTAINERS_CONF")"
  cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=4096:4096"]
[engine]
runtime = "runc"
END
}

get_base_image() {
  podman image exists "$base" && return
  echo "Getting $base" >&2
  timeout 60 podman pull --quiet "$base" >/dev/null 2>&1 && return
  local tar
  tar=$(mktemp --suffix=.tar)
  quietly mmdebstrap --variant=minbase --include=ca-certificates bookworm "$tar"
  quietly podman import --quiet "$tar" "$base"
  rm -f "$tar"
}

((EUID == 0)) || fail "needs root"
export CONTAINERS_CONF=${CONTAINERS_CONF:-/run/fetchline-engine/containers.conf}
install_packages
write_settings
get_base_image
if [[ ${1:-} == serve ]]; then
  mkdir -p "$(dirname "$2")"
  exec podman system service --time=0 "unix://$2"
fi
