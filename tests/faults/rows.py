#!/usr/bin/env python3
"""The fault matrix: what may happen to a fleet, one scenario a row, and that nobody notices.

Each scenario has a network of its own, of namespaces on a bridge: producer, collector, origin and
each worker on a host of theirs. At the end the output must hold every record once, in order, with
the body that its URL has, and all must have ended as they should. README.md has the table;
rows about networks are in tests/fleet/many_hosts.py, those about chains in chain.py there.

    tests/faults/rows.py                a size that takes minutes
    tests/faults/rows.py 15 16          these rows
    tests/faults/rows.py --full         the matrix's own sizes
    tests/faults/rows.py --list

Needs root, for namespaces and iptables: ends with 77 without.
"""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fleet"))
# pylint: disable=wrong-import-position
import many_hosts  # noqa: E402, F401: its rows are rows of the matrix
from fleet import Fleet, Process, Tasks, Watch, free_port, program, require, run  # noqa: E402
from rig import main, row  # noqa: E402

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


if __name__ == "__main__":
    sys.exit(main(__doc__))
