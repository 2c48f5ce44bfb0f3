"""What the fault drivers share: tasks whose answer is known, processes that are started again, a
network of namespaces, and a fleet that is watched while it works."""
import collections
import contextlib
import json
import os
import pathlib
import queue
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

BUILD = pathlib.Path(__file__).parents[2] / "build/release"
ORIGIN = pathlib.Path(__file__).with_name("counting_origin.py")
ROLES = ("producer", "worker", "collector")


def program(build, role):
    return build / role / f"fetchline-{role}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def allow_many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def require(truth, why):
    if not truth:
        raise AssertionError(why)


class Tasks:
    """URLs whose size, delay and body are functions of their index, whoever fetches them and however
    often."""

    def __init__(self, origin, count, delay=(0, 100), sizes=(0, 10, 200, 1000, 1000, 5000, 60000),
                 slow=0.0, special=None, outcomes=None):
        self.origin, self.count = origin, count
        self.delay, self.sizes, self.slow = delay, sizes, slow
        self.special = special or {}    # index -> more of the query
        self.outcomes = outcomes or {}  # index -> outcome, where it is not ok

    def url(self, index):
        own = random.Random(index)
        size = own.choice(self.sizes)
        delay = 2000 if own.random() < self.slow else own.randint(*self.delay)
        more = self.special.get(index, "")
        return f"http://{self.origin}/?size={size}&delay={delay}&i={index}{more}", size

    def write(self, path):
        with open(path, "w", encoding="ascii") as file:
            for index in range(self.count):
                file.write(self.url(index)[0] + "\n")

    def body(self, index):
        url, size = self.url(index)
        pattern = "/" + url.split("/", 3)[3] + "#"
        return (pattern * (size // len(pattern) + 1))[:size]

    def check_records(self, lines):
        """Every record once, in order, with the body that its URL has."""
        expected = 0
        for line in lines:
            record = json.loads(line)
            url, _ = self.url(expected)
            require(record["index"] == expected, f"{record['index']} where {expected} was due")
            require(record["url"] == url, f"{expected}: {record['url']}")
            outcome = self.outcomes.get(expected, "ok")
            require(record["outcome"] == outcome,
                    f"{expected}: {record['outcome']} ({record['errormsg']}), not {outcome}")
            if outcome == "ok":
                require(record["body"] == self.body(expected),
                        f"{expected}: {record['body'][:100]}")
            expected += 1
        require(expected == self.count, f"{expected} records of {self.count} tasks")

    def check(self, output, journal_may_stay=False):
        with open(output, "rb") as file:
            self.check_records(file)
        manifest = json.loads(pathlib.Path(f"{output}.manifest.json").read_text())
        outcomes = collections.Counter(self.outcomes.values())
        if self.count > len(self.outcomes):
            outcomes["ok"] = self.count - len(self.outcomes)
        require(manifest["count"] == self.count, f"the manifest counts {manifest['count']}")
        require(manifest["outcomes"] == outcomes, f"the manifest has {manifest['outcomes']}")
        require(journal_may_stay or not pathlib.Path(f"{output}.spill").exists(),
                "the journal was left behind")


class Process:
    """One command, started again after it was killed. Any thread may use it."""

    def __init__(self, role, command, log, name=None, stdout=None):
        self.role, self.command, self.log, self.name = role, command, log, name or role
        self.stdout = stdout
        self.lock = threading.RLock()
        self.code = None     # how it ended by itself
        self.expected = 0    # how it should
        self.stopped = False
        self.restarts = 0
        self.start()

    def start(self):
        with self.lock:
            self.code = None
            self.process = subprocess.Popen(self.command, stdout=self.stdout or self.log,
                                            stderr=self.log, stdin=subprocess.DEVNULL)

    def poll(self):
        with self.lock:
            if self.code is None:
                self.code = self.process.poll()
            return self.code

    def kill(self):
        with self.lock:
            self.process.kill()
            self.process.wait()

    def restart(self):
        with self.lock:
            self.restarts += 1
            self.start()

    def kill_and_restart(self):
        with self.lock:
            self.kill()
            self.restart()

    def signal(self, number):
        with self.lock:
            if self.process.poll() is None:
                self.process.send_signal(number)


def run(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Network:
    """Hosts in namespaces of their own, joined by a bridge in another one: this machine's network
    does not notice. Addresses are the same in every network."""

    ADDRESSES = {"p": 2, "c": 3, "web": 4, "evil": 5, "p2": 6, "dns": 7}

    def __init__(self, tag, hosts):
        self.tag, self.hosts = tag, []
        self.hub = self.namespace("hub")
        self.made = []
        try:
            self.add_namespace(self.hub)
            run("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
            run("ip", "-n", self.hub, "link", "set", "br0", "up")
            for host in hosts:
                self.add(host)
        except BaseException:
            self.close()
            raise

    def namespace(self, host):
        return f"{self.tag}-{host}"

    def add_namespace(self, name):
        run("ip", "netns", "add", name)
        self.made.append(name)

    def address(self, host):
        last = self.ADDRESSES.get(host)
        return f"10.77.0.{last if last else 10 + int(host[1:])}"

    def host_of(self, address):
        return next((host for host in self.hosts if self.address(host) == address), None)

    def add(self, host):
        name = self.namespace(host)
        self.add_namespace(name)
        run("ip", "-n", self.hub, "link", "add", host, "type", "veth", "peer", "name", "eth0",
            "netns", name)
        run("ip", "-n", self.hub, "link", "set", host, "master", "br0", "up")
        run("ip", "-n", name, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        self.hosts.append(host)

    def within(self, host, *command):
        return ["ip", "netns", "exec", self.namespace(host), *map(str, command)]

    def iptables(self, host, *rule):
        run(*self.within(host, "iptables", "-w", *rule))

    def cut(self, host, other, both=True):
        """`host` hears nothing of `other`; nor, with both, the other way round."""
        self.iptables(host, "-A", "INPUT", "-s", self.address(other), "-j", "DROP")
        if both:
            self.iptables(host, "-A", "OUTPUT", "-d", self.address(other), "-j", "DROP")

    def heal(self, host):
        self.iptables(host, "-F")

    def link(self, host, state):
        run("ip", "-n", self.hub, "link", "set", host, state)

    def renumber(self, host, last):
        """Another address, and the one it had is nobody's."""
        name = self.namespace(host)
        run("ip", "-n", name, "address", "flush", "dev", "eth0")
        run("ip", "-n", name, "address", "add", f"10.77.0.{last}/24", "dev", "eth0")

    def throttle(self, host, rate=None):
        """What reaches the host, at most so fast; without a rate: as fast as it comes."""
        with contextlib.suppress(RuntimeError):
            run("tc", "-n", self.hub, "qdisc", "del", "dev", host, "root")
        if rate:
            run("tc", "-n", self.hub, "qdisc", "add", "dev", host, "root", "tbf", "rate", rate,
                "burst", "16kb", "latency", "400ms")

    def close(self):
        for name in self.made:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
        self.made = []


class CountingOrigin:
    def __init__(self, network, on_poison=None):
        self.address = f"{network.address('web')}:80"
        self.on_poison = on_poison
        self.answers = queue.Queue()
        command = network.within("web", sys.executable, ORIGIN, network.address("web"), 80)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        require(self.process.stdout.readline().startswith("ready"), "the origin does not start")
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            word, rest = line.split(" ", 1)
            if word == "counts":
                self.answers.put(json.loads(rest))
            elif self.on_poison:
                self.on_poison(rest.split()[0])

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answers.get(timeout=30)

    def close(self):
        self.process.kill()
        self.process.wait()


class Watch(threading.Thread):
    """Looks at a fleet now and then: memory, descriptors, how long the output stood still, and who
    crashed, if a supervisor is wanted."""

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet = fleet
        self.over = threading.Event()
        self.rss = collections.Counter()  # MB, role -> most
        self.files = collections.Counter()
        self.longest_stall = 0.0
        self.crashes = collections.Counter()
        self.start()

    def run(self):
        size, grew = 0, None
        while not self.over.wait(0.1):
            now = time.monotonic()
            new_size = self.fleet.output_size()
            if new_size != size:
                if grew is not None:
                    self.longest_stall = max(self.longest_stall, now - grew)
                size, grew = new_size, now
            for process in list(self.fleet.processes):
                self.look_at(process)

    def look_at(self, process):
        with process.lock:
            code = process.poll()
            if code is not None and code < 0 and self.fleet.supervised and not process.stopped:
                self.crashes[f"{process.role} {signal.Signals(-code).name}"] += 1
                process.restart()
            proc = pathlib.Path(f"/proc/{process.process.pid}")
        try:
            if not os.readlink(proc / "exe").endswith(f"fetchline-{process.role}"):
                return  # not yet
            text = (proc / "status").read_text()
            peak = int(text.split("VmHWM:")[1].split()[0]) / 1024
            self.rss[process.role] = max(self.rss[process.role], peak)
            files = len(os.listdir(proc / "fd"))
            self.files[process.role] = max(self.files[process.role], files)
        except (OSError, IndexError):
            pass  # it is gone

    def stop(self):
        self.over.set()
        self.join()


class Fleet:
    """Producer, collector, workers and an origin, each on a host of its own."""

    RSS_CEILING = {"producer": 100, "worker": 150, "collector": 200}  # MB
    FILES_CEILING = {"producer": 100, "worker": 200, "collector": 100}

    def __init__(self, build, directory, tag, workers=4, hosts=(), keyed=False):
        self.build, self.directory = build, directory
        self.keys = directory / "keys" if keyed else None
        if keyed:
            run(build / "deploy/local/fetchline", "keygen", self.keys)
        self.supervised = False
        self.processes = []
        self.output = directory / "out" / "results.ndjson"
        self.output.parent.mkdir()
        self.log_path = directory / "log.txt"
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.network = Network(tag, ["p", "c", "web", *hosts])
        for number in range(1, workers + 1):
            self.network.add(f"w{number}")
        self.workers_wanted = workers
        self.origin = self.watch = None
        self.began = time.monotonic()

    @property
    def task_port(self):
        return f"tcp://{self.network.address('p')}:5555"

    @property
    def result_port(self):
        return f"tcp://{self.network.address('c')}:5556"

    def prepare(self, count, on_poison=None, **tasks):
        self.origin = CountingOrigin(self.network, on_poison)
        self.tasks = Tasks(self.origin.address, count, **tasks)
        self.input = self.directory / "urls.txt"
        self.tasks.write(self.input)

    def start(self, concurrency=16, collector=(), producer=()):
        self.concurrency = concurrency
        self.began = time.monotonic()
        self.start_collector(*collector)
        self.start_producer(*producer)
        for number in range(1, self.workers_wanted + 1):
            self.start_worker(number)
        self.watch = Watch(self)

    def add_process(self, role, host, *flags, name=None, prefix=(), stdout=None):
        command = self.network.within(host, *prefix, program(self.build, role), *flags, "--progress",
                                      "none", *self.trust(role))
        process = Process(role, command, self.log, name or host, stdout)
        self.processes.append(process)
        return process

    def trust(self, role):
        if not self.keys:
            return ["--insecure-plaintext"]
        return ["--key", self.keys / f"{role}.key", "--authorized-keys", self.keys / "authorized"]

    def start_collector(self, *flags, **how):
        if "-o" not in flags:
            flags = ("-o", self.output, "--resume", *flags)
        return self.add_process("collector", "c", "--bind", self.result_port, *flags, **how)

    def start_producer(self, *flags, host="p", **how):
        return self.add_process("producer", host, "--bind", self.task_port, "--collector",
                                self.result_port, "-i", self.input, "--resume", *flags, **how)

    def start_worker(self, number, *flags, **how):
        return self.add_process("worker", f"w{number}", "--producer", self.task_port, "--collector",
                                self.result_port, "-j", self.concurrency, *flags, **how)

    def of(self, role):
        return [process for process in self.processes if process.role == role]

    def alive(self):
        return [process for process in self.processes if process.poll() is None]

    def all_alive(self):
        return len(self.alive()) == len(self.processes)

    def output_size(self):
        try:
            return os.stat(self.output).st_size
        except OSError:
            return 0

    def wait_until(self, truth, limit, what):
        deadline = time.monotonic() + limit
        while not truth():
            require(time.monotonic() < deadline, f"{what}: not within {limit} s")
            time.sleep(0.05)

    def wait_for_output(self, more=1, limit=30):
        size = self.output_size() + more
        self.wait_until(lambda: self.output_size() >= size, limit, "no output")

    def wait_for_log(self, words, limit=30):
        self.wait_until(lambda: words in self.log_path.read_text(errors="replace"), limit,
                        f'no "{words}" in the log')

    def wait_for_end(self, limit=120):
        deadline = time.monotonic() + limit
        while alive := self.alive():
            names = ", ".join(process.name for process in alive)
            require(time.monotonic() < deadline, f"still running after {limit} s: {names}")
            time.sleep(0.02)
            if not self.supervised:
                for process in self.processes:
                    require(process.poll() is None or process.poll() >= 0 or process.stopped,
                            f"{process.name} ended with {process.code}")
        self.seconds = time.monotonic() - self.began
        self.watch.stop()
        for process in self.processes:
            require(process.stopped or process.code == process.expected,
                    f"{process.name} ended with {process.code}, not {process.expected}")

    def check_ceilings(self, factor=1):
        for role in ROLES:
            rss, files = self.watch.rss[role], self.watch.files[role]
            require(rss <= self.RSS_CEILING[role] * factor, f"{role}: {rss:.0f} MB")
            require(files <= self.FILES_CEILING[role], f"{role}: {files} descriptors")

    def figures(self):
        figures = {"s": f"{self.seconds:.1f}"}
        if kills := sum(process.restarts for process in self.processes):
            figures["kills"] = kills
        if self.origin:
            counts = self.origin.counts()
            figures["N"] = self.tasks.count
            figures["beyond N"] = counts["requests"] - self.tasks.count
        figures["longest stall"] = f"{self.watch.longest_stall:.1f}"
        figures["MB p/w/c"] = "/".join(f"{self.watch.rss[role]:.0f}" for role in ROLES)
        return figures

    def close(self):
        if self.watch:
            self.watch.stop()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        if self.origin:
            self.origin.close()
        self.network.close()
        self.log.close()
