#!/usr/bin/env bash
# The units under a real systemd, in a container: a job whose collector, producer and worker are
# killed, the collector restarted and the worker stopped gives the exact output; the services end or
# stay as they should. They talk by keys, and the worker runs commands. This is what tells whether
# the sandbox lets the programs work.
#
#     tests/deploy/services_test.sh      root, Debian 12
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tasks=3000
scratch=$(mktemp -d)
name=fetchline-services-$$

inside() { timeout 60 podman exec -i "$name" "$@"; }
fail() {
  echo "services_test.sh: FAILED: $*" >&2
  inside journalctl --no-pager --unit 'fetchline-*' --lines 30 >&2 || true
  exit 1
}
clean_up() {
  podman rm --force --time 1 "$name" >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.3
  done
}

start_systemd() {
  cp "$root/tests/deploy/job.py" "$root/build/release/tests/origin/fetchline-origin" "$scratch"
  cat >"$scratch/Dockerfile" <<'END'
FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -q -y --no-install-recommends systemd systemd-sysv dbus python3 >/dev/null
COPY *.deb /
RUN apt-get install -q -y --no-install-recommends /*.deb >/dev/null
COPY job.py fetchline-origin /
# As on a machine: systemd puts credentials where its services see them only when mounts are shared.
CMD ["sh", "-c", "mount --make-rshared / && exec /sbin/init"]
END
  podman build --quiet --tag fetchline-test-services "$scratch" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
  # Privileged, because the units make namespaces of their own.
  podman run --detach --name "$name" --privileged --systemd always fetchline-test-services >/dev/null
  eventually 30 is_up || fail "systemd does not come up here"
}
is_up() { [[ $(inside systemctl is-system-running 2>/dev/null) == @(running|degraded) ]]; }

configure() {
  inside bash -euc '
    systemd-run --quiet --unit origin /fetchline-origin --port 8000
    mkdir -p /etc/fetchline/news
    cp /usr/share/doc/fetchline/examples/*.toml /etc/fetchline/news/
    rule=$(python3 /job.py rule)
    # Long enough that some run whenever the worker is stopped.
    { sed "s/concurrency = .*/concurrency = 16/" /usr/share/doc/fetchline/examples/worker.toml
      echo "emit = \"exec:sleep 0.3; ${rule#exec:}\""; } >/etc/fetchline/news/worker.toml
    echo "emit = \"exec:\"" >>/etc/fetchline/news/collector.toml
    python3 /job.py write "$0" http://127.0.0.1:8000 >/etc/fetchline/news/urls.txt' "$tasks"
}

# As the comments of the examples say, by their own lines.
give_keys() {
  inside bash -euc '
    fetchline keygen /tmp/keys >/dev/null
    mv /tmp/keys/*.key /tmp/keys/authorized /etc/fetchline/
    for role in collector producer worker; do
      mkdir -p "/etc/systemd/system/fetchline-$role@.service.d"
      sed -n "s/^#     //p" "/etc/fetchline/news/$role.toml" >"/etc/systemd/system/fetchline-$role@.service.d/keys.conf"
      grep -q LoadCredential "/etc/systemd/system/fetchline-$role@.service.d/keys.conf"
    done
    systemctl daemon-reload'
}

# Who has no key is told so, and gets nothing.
expect_no_entry() {
  local said
  said=$(inside fetchline-worker --producer tcp://127.0.0.1:5555 --collector tcp://127.0.0.1:5556 \
    --peer-timeout 3 --progress none 2>&1) && fail "a worker without a key was let in"
  [[ $said == *"asks for keys"* ]] || fail "a worker without a key hears: $said"
}

# In mid-job: what it has begun it ends, with the commands for it, and the rest goes back.
stop_worker() {
  local before=$SECONDS
  inside systemctl stop fetchline-worker@news
  has_ended worker || fail "worker, stopped in mid-job: $(state worker)"
  ((SECONDS - before < 15)) || fail "the worker took $((SECONDS - before)) s to stop"
  has_records 100 && fail "it was over before the worker was stopped"
  echo "services_test.sh: $SECONDS s: the worker has stopped, in $((SECONDS - before)) s"
  inside systemctl start fetchline-worker@news
}

output=/var/lib/fetchline/news/results.ndjson
has_records() { (($(inside bash -c "cat $output 2>/dev/null | wc -l") >= $1 * tasks / 100)); }
reach() { eventually 60 has_records "$1" || fail "$1 % were not done in time"; }
kill_role() {
  inside systemctl kill --signal KILL "fetchline-$1@news"
  echo "services_test.sh: $SECONDS s: killed the $1"
}
state() { inside systemctl show "fetchline-$1@news" --property ActiveState,Result,ExecMainStatus | sort | paste -sd ' '; }
has_ended() { [[ $(state "$1") == "ActiveState=inactive ExecMainStatus=0 Result=success" ]]; }

trap clean_up EXIT
trap 'exit 130' INT TERM
"$root/deploy/container/engine.sh"
export CONTAINERS_CONF=/run/fetchline-engine/containers.conf
"$root/tests/deploy/make_package.sh" "$scratch" >/dev/null
start_systemd
configure
give_keys
inside systemctl start fetchline-worker@news fetchline-collector@news fetchline-producer@news
reach 10
expect_no_entry
kill_role collector
reach 25
kill_role producer
reach 40
kill_role worker
reach 55
inside systemctl restart fetchline-collector@news # a stop that drains, and a start that resumes
reach 70
stop_worker
eventually 60 has_ended collector || fail "collector: $(state collector)"
eventually 30 has_ended producer || fail "producer: $(state producer)"
[[ $(state worker) == ActiveState=active* ]] || fail "worker, which stays for the next job: $(state worker)"
inside systemctl stop fetchline-worker@news
has_ended worker || fail "worker, stopped: $(state worker)"
inside python3 /job.py check "$tasks" http://127.0.0.1:8000 "$output" emits || fail "the output is not exact"
echo "services_test.sh: passed in $SECONDS s"
