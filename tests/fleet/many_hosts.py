#!/usr/bin/env python3
"""Many hosts: producer, collector, origin and six workers in network namespaces of their own, each
with an address of its own, and what networks and those who run fleets do to them.

    tests/fleet/many_hosts.py                 all of it; some minutes
    tests/fleet/many_hosts.py 15 rolling      these
    tests/fleet/many_hosts.py --full          100,000 tasks, faults that last a minute
    tests/fleet/many_hosts.py --list

Each time the output must hold every record once, in order, with the body that its URL has, and all
must have ended as they should. Rows with a number are those of tests/faults/README.md. Needs root,
for namespaces and iptables: ends with 77 without. Row 34 needs dnsmasq (dnsmasq-base).
"""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import chain  # noqa: F401: its rows are of many hosts too  # pylint: disable=unused-import
from fleet import Watch, require
from rig import main, row

WORKERS = 6


def partition(rig, host, other, both=True, stall=None):
    """For a while, in the middle of a job that is longer than that."""
    fleet = rig.started(rig.size(16_000, 100_000), WORKERS)
    fleet.wait_for_output()
    fleet.network.cut(host, other, both)
    time.sleep(rig.size(9, 60))
    fleet.network.heal(host)
    rig.verdict(fleet)
    if stall:
        require(fleet.watch.longest_stall <= stall * rig.slowness,
                f"the output stood still for {fleet.watch.longest_stall:.1f} s")


@row("15", "partition worker - producer")
def partition_worker_producer(rig):
    partition(rig, "p", "w1", stall=8)


@row("16", "partition worker - collector")
def partition_worker_collector(rig):
    partition(rig, "c", "w1")


@row("16b", "partition worker - collector, for good")
def worker_without_collector(rig):
    """Its tasks go to others, though it lives and the producer hears it."""
    fleet = rig.started(rig.size(4000, 100_000), WORKERS)
    fleet.wait_for_output()
    fleet.network.cut("c", "w1")
    rig.verdict(fleet, limit=rig.size(60, 600))


@row("17", "partition producer - collector")
def partition_producer_collector(rig):
    partition(rig, "c", "p")


@row("18", "partition, one way: acknowledgements are lost")
def partition_one_way(rig):
    partition(rig, "w1", "c", both=False)


@row("moved", "a worker is cut off, and comes back with another address")
def renumbered(rig):
    """What it had asked origins for hangs until --max-time; what it is given meanwhile waits behind."""
    fleet = rig.started(rig.size(9000, 100_000), WORKERS, delay=(200, 600))
    fleet.wait_for_output()
    fleet.network.link("w1", "down")
    time.sleep(rig.size(9, 60))
    fleet.network.renumber("w1", 100)
    fleet.network.link("w1", "up")
    rig.verdict(fleet)
    require(fleet.watch.longest_stall <= 20 * rig.slowness,
            f"the output stood still for {fleet.watch.longest_stall:.1f} s")


@row("19", "flapping links")
def flapping(rig):
    fleet = rig.started(rig.size(6000, 100_000), WORKERS)
    fleet.wait_for_output()
    flaps = 0
    for flaps in range(rig.size(6, 150)):
        if not fleet.all_alive():
            break
        host = rig.random.choice(["p", "c", "w1", "w2"])
        fleet.network.link(host, "down")
        time.sleep(rig.size(1, 2))
        fleet.network.link(host, "up")
        time.sleep(rig.size(1, 2))
    rig.figures["flaps"] = flaps
    rig.verdict(fleet)


def storm(fleet, reject, seconds, probability):
    for host, port in (("p", 5555), ("c", 5556)):
        fleet.network.iptables(host, "-A", "INPUT", "-p", "tcp", "--dport", port, "-m", "statistic",
                               "--mode", "random", "--probability", probability, "-j", "REJECT",
                               "--reject-with", reject)
    time.sleep(seconds)
    for host in ("p", "c"):
        fleet.network.heal(host)


@row("20", "storm of TCP resets")
def reset_storm(rig):
    fleet = rig.started(rig.size(6000, 100_000), WORKERS)
    fleet.wait_for_output()
    storm(fleet, "tcp-reset", rig.size(8, 60), 0.02)
    rig.verdict(fleet)


@row("21", "ICMP protocol unreachable")
def protocol_unreachable(rig):
    fleet = rig.fleet(WORKERS)
    fleet.prepare(rig.size(6000, 100_000))
    fleet.supervised = True
    fleet.start()
    fleet.wait_for_output()
    for _ in range(rig.size(3, 20)):
        storm(fleet, "tcp-reset", 0.2, 1)
        storm(fleet, "icmp-proto-unreachable", 2, 1)
        time.sleep(0.5)
    rig.figures["crashes"] = dict(fleet.watch.crashes) or 0
    rig.verdict(fleet)


@row("22", "5 % of the packets are lost (no latency: netem is missing)")
def lossy(rig):
    fleet = rig.fleet(WORKERS)
    for host in fleet.network.hosts:
        fleet.network.iptables(host, "-A", "INPUT", "-i", "eth0", "-m", "statistic", "--mode",
                               "random", "--probability", "0.05", "-j", "DROP")
    fleet.prepare(rig.size(2000, 20_000))
    fleet.start()
    rig.verdict(fleet)


@row("23", "1 Mbit/s to the collector")
def narrow(rig):
    fleet = rig.fleet(WORKERS)
    fleet.prepare(rig.size(4000, 20_000))
    fleet.network.throttle("c", "1mbit")
    fleet.start()
    time.sleep(rig.size(10, 300))
    before = fleet.origin.counts()["requests"]
    time.sleep(2)
    rig.figures["requests/s when narrow"] = (fleet.origin.counts()["requests"] - before) // 2
    require(fleet.all_alive(), "somebody ended")
    fleet.network.throttle("c")
    rig.verdict(fleet, beyond=1)  # narrow is not dead: nothing is given to others


# --- names

class NameServer:
    """dnsmasq on a host of its own. The hosts of the fleet ask it and nobody else."""

    def __init__(self, rig, fleet, **names):
        require(shutil.which("dnsmasq"), "there is no dnsmasq; it is in dnsmasq-base")
        self.network, self.process = fleet.network, None
        self.hosts = rig.directory / "hosts"
        for host in fleet.network.hosts:
            directory = pathlib.Path("/etc/netns") / fleet.network.namespace(host)
            directory.mkdir(parents=True)
            rig.clean.append(lambda gone=directory: shutil.rmtree(gone, ignore_errors=True))
            (directory / "resolv.conf").write_text(f"nameserver {self.network.address('dns')}\n")
        self.say(**names)
        rig.clean.append(self.die)
        self.start()

    def say(self, **names):
        self.hosts.write_text("".join(f"{self.network.address(host)} {name}\n"
                                      for name, host in names.items()))
        if self.process:
            self.process.send_signal(signal.SIGHUP)

    def start(self):
        self.process = subprocess.Popen(self.network.within(
            "dns", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", f"--addn-hosts={self.hosts}", "--user=root", "--pid-file="),
            stderr=subprocess.DEVNULL)

    def die(self):
        self.process.kill()
        self.process.wait()


def named_fleet(rig, count, **tasks):
    """A fleet whose workers know the producer and the collector by name."""
    fleet = rig.fleet(WORKERS, hosts=["p2", "dns"])
    fleet.prepare(count, **tasks)
    server = NameServer(rig, fleet, producer="p", collector="c")
    fleet.concurrency = 16
    fleet.start_collector()
    fleet.start_producer()
    for number in range(1, WORKERS + 1):
        fleet.add_process("worker", f"w{number}", "--producer", "tcp://producer:5555", "--collector",
                          "tcp://collector:5556", "-j", fleet.concurrency)
    fleet.watch = Watch(fleet)
    fleet.wait_for_output()
    return fleet, server


@row("34", "the producer's name moves to another address")
def moved(rig):
    fleet, server = named_fleet(rig, rig.size(6000, 100_000))
    first = fleet.of("producer")[0]
    first.stopped = True
    first.kill()
    server.say(producer="p2", collector="c")
    began, size = time.monotonic(), fleet.output_size()
    fleet.add_process("producer", "p2", "--bind",
                      f"tcp://{fleet.network.address('p2')}:5555", "--collector",
                      fleet.result_port, "-i", fleet.input, "--resume", name="p2")
    fleet.wait_until(lambda: fleet.output_size() > size + (1 << 20), 30, "workers do not follow")
    rig.figures["found again in"] = f"{time.monotonic() - began:.1f}"
    require(time.monotonic() - began < 10 * rig.slowness, "it took them long to find it")
    rig.verdict(fleet)


@row("34b", "the name server is dead when the producer dies")
def no_names(rig):
    """Workers that ask for the producer's name in vain still reach the collector."""
    fleet, server = named_fleet(rig, rig.size(1500, 20_000), delay=(1000, 3000))
    server.die()
    fleet.network.iptables("dns", "-A", "INPUT", "-j", "DROP")  # nor does its host answer
    fleet.wait_for_output(100_000)
    producer = fleet.of("producer")[0]
    producer.stopped = True
    producer.kill()
    time.sleep(rig.size(15, 60))
    require("waiting for the collector" not in fleet.log_path.read_text(errors="replace"),
            "workers that ask for a name lose the collector")
    producer.stopped = False
    producer.restart()
    time.sleep(rig.size(3, 30))
    fleet.network.heal("dns")
    server.start()
    began = time.monotonic()
    fleet.wait_for_output(100_000, 60)
    rig.figures["at work again in"] = f"{time.monotonic() - began:.1f}"
    rig.verdict(fleet)


# --- comings and goings

def shares(fleet):
    """Tasks that each worker process has done, by the records."""
    done = {}
    with open(fleet.output, encoding="utf-8") as records:
        for record in map(json.loads, records):
            done[record["worker"]] = done.get(record["worker"], 0) + 1
    return done


@row("late", "workers that come late, and one that was there before all others")
def late_joiners(rig):
    fleet = rig.fleet(WORKERS)
    fleet.prepare(rig.size(12_000, 100_000))
    fleet.concurrency = 16
    fleet.start_worker(1)
    time.sleep(2)
    fleet.start_producer()
    time.sleep(1)
    fleet.start_collector()
    fleet.watch = Watch(fleet)
    for number in range(2, WORKERS + 1):
        fleet.wait_for_output(1 << 20)
        fleet.start_worker(number)
    rig.verdict(fleet, beyond=0)
    done = shares(fleet)
    rig.figures["shares"] = "/".join(map(str, done.values()))
    require(len(done) == WORKERS, f"{len(done)} workers had work")


@row("rolling", "all workers are replaced, one after the other")
def rolling_restart(rig):
    fleet = rig.started(rig.size(12_000, 100_000), WORKERS)
    for number, worker in enumerate(fleet.of("worker"), 1):
        fleet.wait_for_output(1 << 20)
        worker.signal(signal.SIGTERM)
        fleet.wait_until(lambda gone=worker: gone.poll() is not None, 25, "it does not drain")
        fleet.start_worker(number)
    rig.verdict(fleet, beyond=0)
    done = shares(fleet)
    rig.figures["workers"] = len(done)
    require(len(done) >= 2 * WORKERS - 1, f"{len(done)} of {2 * WORKERS} workers had work")


if __name__ == "__main__":
    sys.exit(main(__doc__))
