#!/usr/bin/env python3
"""The fault matrix: what may happen to a fleet, one scenario a row, and that nobody notices.

Each scenario has a network of its own, of namespaces on a bridge: producer, collector, origin and
each worker on a host of theirs. At the end the output must hold every record once, in order, with
the body that its URL has, and all must have ended as they should. README.md has the table.

    tests/faults/rows.py                a size that takes minutes
    tests/faults/rows.py 15 16          these rows
    tests/faults/rows.py --full         the matrix's own sizes
    tests/faults/rows.py --list

Needs root, for namespaces and iptables: ends with 77 without.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from fleet import (BUILD, Fleet, Process, Tasks, Watch, allow_many_files, free_port, program,
                   require, run)

ROWS = {}


@dataclasses.dataclass
class Row:
    number: str
    name: str
    scenario: callable
    alone: bool  # it measures: nothing may run beside it


def row(number, name, alone=False):
    def keep(scenario):
        ROWS[number] = Row(number, name, scenario, alone)
        return scenario
    return keep


class Rig:
    """What a scenario gets: sizes, a seed of its own, fleets, and the verdict's figures."""

    def __init__(self, options, number, directory):
        self.full, self.build = options.full, options.build
        self.slowness = options.slowness
        self.directory = directory
        self.number = number
        self.random = random.Random(f"{options.seed}-{number}")
        self.figures = {}
        self.clean = []  # to be done at the end, the last one first

    def size(self, small, full):
        return full if self.full else small

    def fleet(self, workers=None, hosts=()):
        workers = workers or self.size(4, 8)
        fleet = Fleet(self.build, self.directory, f"fl{os.getpid()}r{self.number}", workers, hosts)
        self.clean.append(fleet.close)
        return fleet

    def started(self, count, workers=None, hosts=(), **tasks):
        fleet = self.fleet(workers, hosts)
        fleet.prepare(count, **tasks)
        fleet.start()
        return fleet

    def verdict(self, fleet, beyond=None, journal_may_stay=False, limit=None):
        """Waits for the end and looks at everything. `beyond`: requests beyond one for each task."""
        fleet.wait_for_end(limit or self.size(120, 1800))
        self.figures.update(fleet.figures())
        fleet.tasks.check(fleet.output, journal_may_stay)
        fleet.check_ceilings(self.slowness)
        if beyond is not None:
            most = beyond + fleet.tasks.count // 50 if beyond else 0  # 2 % are second thoughts
            require(self.figures["beyond N"] <= most,
                    f"{self.figures['beyond N']} requests beyond N, expected at most {most}")

    def close(self):
        for close in reversed(self.clean):
            close()


# --- kill -9

def kill_now_and_then(rig, fleet, role, kills, every):
    """Returns how many it came to before the job was done."""
    for count in range(kills):
        time.sleep(rig.random.uniform(0.5, 1.5) * every)
        if not fleet.all_alive():
            return count
        rig.random.choice(fleet.of(role)).kill_and_restart()
    return kills


@row("1", "kill -9 a worker now and then")
def kill_workers(rig):
    fleet = rig.started(rig.size(6000, 100_000))
    kills = kill_now_and_then(rig, fleet, "worker", rig.size(15, 10_000), rig.size(0.4, 2))
    require(kills >= 5, "it was over before it was disturbed")
    rig.verdict(fleet, beyond=kills * fleet.concurrency * 2)


@row("2", "kill -9 all workers at once")
def kill_all_workers(rig):
    fleet = rig.started(rig.size(3000, 100_000))
    fleet.wait_for_output()
    for worker in fleet.of("worker"):
        worker.stopped = True
        worker.kill()
    time.sleep(rig.size(10, 30))
    for worker in fleet.of("worker"):
        worker.stopped = False
        worker.restart()
    rig.verdict(fleet, beyond=len(fleet.of("worker")) * fleet.concurrency * 2)


@row("3", "kill -9 the producer")
def kill_producer(rig):
    fleet = rig.started(rig.size(6000, 100_000))
    fleet.wait_for_output()
    kills = kill_now_and_then(rig, fleet, "producer", rig.size(10, 50), 0.7)
    require(kills >= 3, "it was over before it was disturbed")
    in_hand = len(fleet.of("worker")) * fleet.concurrency * 2
    rig.verdict(fleet, beyond=kills * in_hand)


@row("4", "kill -9 the collector")
def kill_collector(rig):
    fleet = rig.started(rig.size(6000, 100_000), slow=0.001)
    fleet.wait_for_output()
    collector, recovery, kills = fleet.of("collector")[0], 0.0, 0
    while kills < rig.size(10, 50):
        time.sleep(rig.random.uniform(0.2, 0.8))
        if not fleet.all_alive():
            break
        collector.kill_and_restart()
        kills += 1
        began = time.monotonic()
        size = fleet.output_size()
        fleet.wait_until(lambda: fleet.output_size() != size or not fleet.all_alive(), 15,
                         "the collector does not recover")
        recovery = max(recovery, time.monotonic() - began)
    require(kills >= 3, "it was over before it was disturbed")
    rig.figures["longest recovery"] = f"{recovery:.1f}"
    rig.verdict(fleet)
    require(recovery < 10, f"recovery took {recovery:.1f} s")


@row("6", "kill -9 all of them at once")
def kill_everything(rig):
    fleet = rig.started(rig.size(6000, 100_000))
    for _ in range(rig.size(3, 20)):
        fleet.wait_for_output(more=1 << 20)
        for process in fleet.processes:
            process.kill()
        for process in rig.random.sample(fleet.processes, len(fleet.processes)):
            process.restart()
    rig.verdict(fleet)


# --- disks

def mount_small_disk(rig, path, size):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    rig.clean.append(lambda: subprocess.run(["umount", "-l", path], check=False))


def fill_and_enlarge(rig, fleet, path):
    fleet.start()
    fleet.wait_for_log("waiting for room")
    at = fleet.output_size()
    time.sleep(rig.size(3, 30))
    require(fleet.all_alive(), "somebody ended when the disk was full")
    rig.figures["MB out when full"] = f"{at / 1e6:.1f}"
    before = fleet.origin.counts()["requests"]
    time.sleep(1)
    rig.figures["requests/s when full"] = fleet.origin.counts()["requests"] - before
    subprocess.run(["mount", "-o", "remount,size=2g", path], check=True)
    rig.verdict(fleet, journal_may_stay=True)
    left = [entry.name for entry in pathlib.Path(f"{fleet.output}.spill").glob("*")]
    require(not left, f"left in the journal: {left}")


@row("12", "the journal's disk is full")
def journal_disk_full(rig):
    fleet = rig.fleet()
    # The first one is slow: everything else waits for it, in the journal.
    fleet.prepare(rig.size(4000, 100_000), special={0: "&first=8000"})
    journal = pathlib.Path(f"{fleet.output}.spill")
    mount_small_disk(rig, journal, rig.size("8m", "32m"))
    fill_and_enlarge(rig, fleet, journal)


@row("13", "the output's disk is full")
def output_disk_full(rig):
    fleet = rig.fleet()
    fleet.prepare(rig.size(4000, 100_000))
    mount_small_disk(rig, fleet.output.parent, rig.size("8m", "32m"))
    mount_small_disk(rig, pathlib.Path(f"{fleet.output}.spill"), "1g")
    fill_and_enlarge(rig, fleet, fleet.output.parent)


# --- networks

def partition(rig, host, other, both=True, stall=None):
    """For a while, in the middle of a job that is longer than that."""
    fleet = rig.started(rig.size(10_000, 100_000))
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
    fleet = rig.started(rig.size(4000, 100_000))
    fleet.wait_for_output()
    fleet.network.cut("c", "w1")
    rig.verdict(fleet, limit=rig.size(60, 600))


@row("17", "partition producer - collector")
def partition_producer_collector(rig):
    partition(rig, "c", "p")


@row("18", "partition, one way: acknowledgements are lost")
def partition_one_way(rig):
    partition(rig, "w1", "c", both=False)


@row("19", "flapping links")
def flapping(rig):
    fleet = rig.started(rig.size(6000, 100_000))
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
    fleet = rig.started(rig.size(6000, 100_000))
    fleet.wait_for_output()
    storm(fleet, "tcp-reset", rig.size(8, 60), 0.02)
    rig.verdict(fleet)


@row("21", "ICMP protocol unreachable")
def protocol_unreachable(rig):
    fleet = rig.fleet()
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
    fleet = rig.fleet()
    for host in fleet.network.hosts:
        fleet.network.iptables(host, "-A", "INPUT", "-i", "eth0", "-m", "statistic", "--mode",
                               "random", "--probability", "0.05", "-j", "DROP")
    fleet.prepare(rig.size(2000, 20_000))
    fleet.start()
    rig.verdict(fleet)


@row("23", "1 Mbit/s to the collector")
def narrow(rig):
    fleet = rig.fleet()
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


# --- processes that stand still, twins, comings and goings

@row("24", "SIGSTOP a worker, SIGCONT")
def stop_worker(rig):
    """The job must last longer: who wakes when all is over waits for the next one."""
    fleet = rig.started(rig.size(16_000, 100_000))
    fleet.wait_for_output()
    worker = fleet.of("worker")[0]
    worker.signal(signal.SIGSTOP)
    time.sleep(rig.size(8, 30))
    worker.signal(signal.SIGCONT)
    rig.verdict(fleet)
    require(fleet.watch.longest_stall <= 8 * rig.slowness,
            f"the output stood still for {fleet.watch.longest_stall:.1f} s")


@row("25", "SIGSTOP the producer, start another, SIGCONT")
def fence_producer(rig):
    """The other one takes the address over, as a pod that was moved would."""
    fleet = rig.started(rig.size(16_000, 100_000), hosts=["p2"])
    network, first = fleet.network, fleet.of("producer")[0]
    fleet.wait_for_output()
    first.signal(signal.SIGSTOP)
    address = f"{network.address('p')}/24"
    network_of = {host: network.namespace(host) for host in network.hosts}
    run("ip", "-n", network_of["p"], "address", "del", address, "dev", "eth0")
    run("ip", "-n", network_of["p"], "address", "add", "10.77.0.99/24", "dev", "eth0")
    run("ip", "-n", network_of["p2"], "address", "add", address, "dev", "eth0")
    for namespace in network_of.values():
        run("ip", "-n", namespace, "neighbour", "flush", "all")
    first.expected = 11
    size = fleet.output_size()
    fleet.start_producer(host="p2")
    fleet.wait_until(lambda: fleet.output_size() > size + (1 << 20), 30,
                     "the second producer does nothing")
    first.signal(signal.SIGCONT)
    rig.verdict(fleet)


@row("26", "two collectors, one output")
def two_collectors(rig):
    fleet = rig.started(rig.size(2000, 20_000))
    fleet.wait_for_output()
    second = fleet.add_process("collector", "c", "--bind", "tcp://127.0.0.1:5557", "-o",
                               fleet.output, "--resume", name="second collector")
    second.expected = 9
    fleet.wait_until(lambda: second.poll() is not None, 5, "the second collector runs")
    rig.verdict(fleet, beyond=0)


@row("27", "SIGTERM drains workers: 8 to 2 to 16")
def drain(rig):
    fleet = rig.started(rig.size(12_000, 100_000), workers=8)
    fleet.wait_for_output()
    time.sleep(rig.size(1.5, 10))
    began = time.monotonic()
    leaving = fleet.of("worker")[2:]
    for worker in leaving:
        worker.signal(signal.SIGTERM)
    fleet.wait_until(lambda: all(worker.poll() is not None for worker in leaving), 25,
                     "workers do not drain")
    rig.figures["drained in"] = f"{time.monotonic() - began:.1f}"
    time.sleep(rig.size(1.5, 10))
    require(fleet.of("collector")[0].poll() is None, "it was over before they came back")
    for number in range(9, 17):
        fleet.network.add(f"w{number}")
    for number in range(3, 17):
        fleet.start_worker(number)
    rig.verdict(fleet, beyond=0)


@row("28", "URLs that kill their worker")
def poison(rig):
    fleet = rig.fleet()
    count = rig.size(3000, 10_000)
    deadly = {index: "&poison=1" for index in rig.random.sample(range(count), 3)}
    deaths = []

    def on_poison(address):
        host = fleet.network.host_of(address)
        worker = next(process for process in fleet.of("worker") if process.name == host)
        if worker.poll() is None:
            deaths.append(host)
            worker.kill_and_restart()

    fleet.prepare(count, on_poison=on_poison, special=deadly,
                  outcomes={index: "abandoned" for index in deadly})
    fleet.start()
    for process in fleet.of("producer") + fleet.of("collector"):
        process.expected = 4
    rig.verdict(fleet)
    rig.figures["deaths"] = len(deaths)
    require(len(deaths) <= 3 * 4, f"{len(deaths)} workers died")


@row("29", "stragglers: slow URLs, a slow worker")
def stragglers(rig):
    slowest = rig.size(6, 55)
    fleet = rig.fleet()
    count = rig.size(4000, 100_000)
    slow = rig.random.sample(range(count), count // 1000)
    fleet.prepare(count, special={index: f"&first={slowest * 1000}" for index in slow})
    fleet.start()
    over = threading.Event()
    rig.clean.append(over.set)

    def slow_down(worker):  # to a twentieth
        while not over.is_set() and worker.poll() is None:
            worker.signal(signal.SIGSTOP)
            time.sleep(0.19)
            worker.signal(signal.SIGCONT)
            time.sleep(0.01)

    threading.Thread(target=slow_down, args=(fleet.of("worker")[0],), daemon=True).start()
    rig.verdict(fleet)
    over.set()
    undisturbed = count * 0.05 / (len(fleet.of("worker")) * fleet.concurrency)
    require(fleet.seconds <= undisturbed + slowest + 15 * rig.slowness,
            f"{fleet.seconds:.1f} s, {undisturbed:.1f} s undisturbed")
    require(rig.figures["beyond N"] <= count * 0.05, f"{rig.figures['beyond N']} second thoughts")


@row("30", "a slow reader of the collector's stdout")
def slow_reader(rig):
    fleet = rig.fleet()
    window = 1000
    fleet.prepare(rig.size(8000, 100_000))
    fleet.concurrency = 16
    ours, theirs = os.pipe()
    collector = fleet.start_collector("-o", "-", "--window", window, "--memory", "16M", stdout=theirs)
    os.close(theirs)
    fleet.start_producer()
    for number in range(1, fleet.workers_wanted + 1):
        fleet.start_worker(number)
    fleet.watch = Watch(fleet)
    lines = []
    with open(ours, "rb") as reader:
        for _ in range(100):
            lines.append(reader.readline())
        time.sleep(rig.size(6, 60))  # it reads nothing
        paused = fleet.origin.counts()["requests"]
        time.sleep(1)
        require(fleet.origin.counts()["requests"] == paused, "it goes on without a reader")
        # What was read ahead, what is in the pipe, what the collector may have given up.
        require(paused <= window + 100 + 1500, f"{paused} requests for a reader of 100 records")
        rig.figures["requests when paused"] = paused
        lines.extend(reader)
    fleet.wait_for_end()
    rig.figures.update(fleet.figures())
    fleet.tasks.check_records(lines)
    fleet.check_ceilings(rig.slowness)
    require(fleet.watch.rss["collector"] < 80 * rig.slowness, "the collector kept what nobody reads")


@row("32", "no task, one, many", alone=True)
def sizes(rig):
    """On one host, with the origin in C++: this is about numbers and memory."""
    memory = {}
    for count in rig.size([0, 1, 20_000, 200_000], [0, 1, 100_000, 10_000_000]):
        memory[count] = run_of(rig, count)
    small, big = list(memory)[2:]
    for role in ("producer", "worker", "collector"):
        rig.figures[f"MB {role}"] = f"{memory[small][role]:.0f}, {memory[big][role]:.0f}"
        require(memory[big][role] <= memory[small][role] * 1.1 + 8,
                f"{role}: {memory[small][role]:.0f} MB for {small}, {memory[big][role]:.0f} for {big}")


class Alone(Fleet):
    """A fleet on loopback, without a network of its own."""

    def __init__(self, build, directory):  # pylint: disable=super-init-not-called
        self.build, self.supervised, self.processes = build, False, []
        self.output = directory / "out.ndjson"
        self.log_path = directory / "log.txt"
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.origin, self.network = None, None

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        self.watch.stop()
        self.log.close()


def run_of(rig, count):
    directory = rig.directory / str(count)
    directory.mkdir()
    origin = subprocess.Popen([rig.build / "tests/origin/fetchline-origin"], stdout=subprocess.PIPE,
                              text=True)
    rig.clean.append(origin.kill)
    tasks = Tasks(f"127.0.0.1:{int(origin.stdout.readline())}", count, delay=(0, 0),
                  sizes=(0, 10, 200))
    tasks.write(directory / "urls.txt")
    fleet = Alone(rig.build, directory)
    fleet.began = time.monotonic()
    port, results = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    for role, *flags in (("collector", "--bind", results, "-o", fleet.output),
                         ("producer", "--bind", port, "--collector", results, "-i",
                          directory / "urls.txt"),
                         ("worker", "--producer", port, "--collector", results, "-j", "64")):
        command = [program(rig.build, role), *flags, "--progress", "none"]
        fleet.processes.append(Process(role, [str(part) for part in command], fleet.log))
    fleet.watch = Watch(fleet)
    rig.clean.append(fleet.close)
    fleet.wait_for_end(rig.size(120, 7200))
    tasks.check(fleet.output)
    rig.figures[f"s for {count}"] = f"{fleet.seconds:.1f}"
    return fleet.watch.rss


@row("34", "the producer's name moves to another address")
def moved(rig):
    """Names come from /etc/hosts: each worker's is a file of ours."""
    fleet = rig.fleet(hosts=["p2"])
    network = fleet.network
    fleet.prepare(rig.size(6000, 100_000))
    files = []
    for number in range(1, fleet.workers_wanted + 1):
        directory = pathlib.Path("/etc/netns") / network.namespace(f"w{number}")
        directory.mkdir(parents=True)
        rig.clean.append(lambda gone=directory: shutil.rmtree(gone, ignore_errors=True))
        files.append(directory / "hosts")
        files[-1].write_text(f"{network.address('p')} producer\n")
    fleet.concurrency = 16
    fleet.start_collector()
    first = fleet.start_producer()
    for number in range(1, fleet.workers_wanted + 1):
        fleet.add_process("worker", f"w{number}", "--producer", "tcp://producer:5555", "--collector",
                          fleet.result_port, "-j", 16)
    fleet.watch = Watch(fleet)
    fleet.wait_for_output(1 << 20)
    first.stopped = True
    first.kill()
    for file in files:
        file.write_text(f"{network.address('p2')} producer\n")
    began, size = time.monotonic(), fleet.output_size()
    fleet.add_process("producer", "p2", "--bind", f"tcp://{network.address('p2')}:5555",
                      "--collector", fleet.result_port, "-i", fleet.input, "--resume", name="p2")
    fleet.wait_until(lambda: fleet.output_size() > size + (1 << 20), 30, "workers do not follow")
    rig.figures["found again in"] = f"{time.monotonic() - began:.1f}"
    require(time.monotonic() - began < 10 * rig.slowness, "it took them long to find it")
    rig.verdict(fleet)


@row("35", "64 descriptors and 200 idle TCP clients")
def idle_clients(rig):
    fleet = rig.fleet(hosts=["evil"])
    fleet.prepare(rig.size(3000, 20_000))
    fleet.concurrency = 16
    few = {"prefix": ("prlimit", "--nofile=64:64")}
    fleet.start_collector(**few)
    fleet.start_producer(**few)
    time.sleep(0.5)
    idle = subprocess.Popen(fleet.network.within(
        "evil", sys.executable, "-c", IDLE_CLIENTS, fleet.network.address("p"),
        fleet.network.address("c")), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    rig.clean.append(idle.kill)
    idle.stdout.readline()
    began = time.monotonic()
    time.sleep(1)
    rig.figures["CPU of p and c meanwhile"] = "/".join(
        f"{cpu_seconds(process):.2f}" for process in fleet.processes)
    fleet.watch = Watch(fleet)
    for number in range(1, fleet.workers_wanted + 1):
        fleet.start_worker(number)
    fleet.wait_for_output(limit=40)
    rig.figures["first output after"] = f"{time.monotonic() - began:.1f}"
    rig.verdict(fleet)


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


IDLE_CLIENTS = """
import socket, sys
clients = []
for _ in range(100):
    for address, port in ((sys.argv[1], 5555), (sys.argv[2], 5556)):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address, port))
        clients.append(client)
print("there", flush=True)
sys.stdin.read()
"""


# --- running them

def run_row(options, wanted):
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"fetchline-row-{wanted.number}-"))
    rig = Rig(options, wanted.number, directory)
    why = None
    try:
        wanted.scenario(rig)
    except Exception as error:  # pylint: disable=broad-except
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        why = f"{kind}{error}; see {directory}"
    finally:
        rig.close()
    figures = ", ".join(f"{name} {value}" for name, value in rig.figures.items())
    print(f"{wanted.number:>3}  {'FAILED' if why else 'ok    '}  {wanted.name}: {figures}"
          f"{'; ' + why if why else ''}", flush=True)
    if not why and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return why is None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="these; all of them otherwise")
    parser.add_argument("--build", default=BUILD, type=pathlib.Path, help="where the programs are")
    parser.add_argument("--full", action="store_true", help="the matrix's own sizes")
    parser.add_argument("--jobs", type=int, default=2, help="rows at once")
    parser.add_argument("--slowness", type=float, default=1, help="factor for time limits and memory, under sanitizers")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the directories of the runs")
    parser.add_argument("--list", action="store_true", help="name the rows, run nothing")
    options = parser.parse_args()
    if unknown := [number for number in options.rows if number not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)} (README.md says why)")
    return options


def main():
    options = arguments()
    if options.list:
        for wanted in ROWS.values():
            print(f"{wanted.number:>3}  {wanted.name}")
        return 0
    if os.geteuid() != 0:
        print("needs root, for network namespaces", file=sys.stderr)
        return 77
    allow_many_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    wanted = [ROWS[number] for number in dict.fromkeys(options.rows or ROWS)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda row: run_row(options, row),
                                 [row for row in wanted if not row.alone]))
    verdicts += [run_row(options, row) for row in wanted if row.alone]
    failed = verdicts.count(False)
    print(f"{len(verdicts)} rows, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
