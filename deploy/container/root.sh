#!/usr/bin/env bash
# Makes DIR the root of a container that has the programs named, what they need, and a small shell
# for health checks and for a look around. Runs in the image's build stage, on Debian.
#
#     deploy/container/root.sh DIR PROGRAM…
set -euo pipefail

root=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
user=10001

# What scripts in this image, commands of --emit exec: and a person in `exec … sh` need; no network
# clients.
applets=(awk basename cat cp cut dd du echo env expr false grep head kill ls mkdir mv od ps readlink rm
         sed seq sh sha256sum sleep sort split stat sync tail tee test '[' tr true uname uniq wc)

copy() { # to where it was; a link stays one
  mkdir -p "$root$(dirname "$1")"
  cp -a "$1" "$root$1"
}

# The file under its real name and, if it is reached through a link, the link.
add() {
  local path real
  for path in "$@"; do
    path=$(realpath "$(dirname "$path")")/$(basename "$path")
    real=$(realpath "$path")
    copy "$real"
    [[ $path == "$real" ]] || copy "$path"
    note_package "$real"
  done
}

# A list of packages is what scanners for known faults read, licences are what we owe their authors.
note_package() {
  local package
  # /usr/lib is where it is, /lib is where an older package says that it is.
  package=$(dpkg-query -S "$1" "${1#/usr}" 2>/dev/null | head -n 1 | cut -d: -f1) || true
  [[ -n $package && ! -e $root/var/lib/dpkg/status.d/$package ]] || return 0
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
  copy "$(realpath "/usr/share/doc/$package/copyright")"
}

libraries_of() { # of programs that link at all; fails when one is missing
  ldd "$@" | awk '/not found/ { print > "/dev/stderr"; exit 1 }
                  $2 == "=>" { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u
}

mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,etc/ssl/certs,var/lib/dpkg/status.d,dev,proc,sys,run}
mkdir -m 1777 "$root/tmp"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

programs=()
for name in "$@" busybox; do programs+=("$(command -v "$name")"); done
libraries=$(libraries_of "${programs[@]}")
# shellcheck disable=SC2086 # names of libraries have no spaces
add "${programs[@]}" $libraries /usr/lib/os-release /etc/ssl/openssl.cnf
for applet in "${applets[@]}"; do
  [[ -e $root/usr/bin/$applet ]] || ln -s busybox "$root/usr/bin/$applet"
done
install -m 755 "$here/entry.sh" "$root/usr/bin/fetchline-entry"
install -m 755 "$here/health.sh" "$root/usr/bin/fetchline-health"
# What a sharded job cuts its input and joins its results with.
install -m 755 "$here/../kubernetes/part.sh" "$root/usr/bin/fetchline-part"
install -m 755 "$here/../kubernetes/join.sh" "$root/usr/bin/fetchline-join"

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
note_package /usr/sbin/update-ca-certificates
ln -s ../usr/lib/os-release "$root/etc/os-release"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
printf '%s\n' root:x:0:0:root:/:/bin/sh "fetchline:x:$user:$user:fetchline:/results:/bin/sh" >"$root/etc/passwd"
printf '%s\n' root:x:0: "fetchline:x:$user:" >"$root/etc/group"
