"""Running programs, pinned and measured: what a process cost is what the kernel says of it when it
has been waited for (ru_utime + ru_stime, ru_maxrss). Client and origin have a core each."""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

CLIENT_CORE, ORIGIN_CORE = 0, 1
AA_LOWEST, AA_HIGHEST = 0.97, 1.03
ATTEMPTS = 3


class Failed(Exception):
    """A program that was to be measured did not do its work."""


@dataclass
class Cost:
    user: float = 0.0
    sys: float = 0.0
    wall: float = 0.0
    max_rss_kb: int = 0

    @property
    def cpu(self):
        return self.user + self.sys

    def __add__(self, other):  # of processes that ran side by side
        return Cost(self.user + other.user, self.sys + other.sys, max(self.wall, other.wall),
                    max(self.max_rss_kb, other.max_rss_kb))


class Process:
    """A child on one core."""

    def __init__(self, command, core=CLIENT_CORE, **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        popen.setdefault("stderr", subprocess.PIPE)
        self.command = [str(part) for part in command]
        self.started = time.monotonic()
        self.child = subprocess.Popen(["taskset", "-c", str(core)] + self.command, **popen)

    def end(self, by=None, codes=(0,)):
        """Waits (after sending the signal `by`); its cost. Another exit code raises Failed."""
        if by is not None:
            os.kill(self.child.pid, by)
        errors = self.child.stderr.read() if self.child.stderr else b""
        _, status, used = os.wait4(self.child.pid, 0)
        wall = time.monotonic() - self.started
        self.child.returncode = os.waitstatus_to_exitcode(status)
        if self.child.stderr:
            self.child.stderr.close()
        if self.child.returncode not in codes:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            raise Failed(f"{self.command[0]} ended with {self.child.returncode}: {''.join(last)}")
        return Cost(used.ru_utime, used.ru_stime, wall, used.ru_maxrss)


def run(command, **how):
    codes = how.pop("codes", (0,))
    return Process(command, **how).end(codes=codes)


def free_ports(count):
    """The first of `count` ports in a row that nobody has and no outgoing connection is given."""
    for first in range(18_080, 30_000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("", port))
            return first
        except OSError:
            continue
    raise Failed("no free port")


class Origin:
    """bench-origin, for the time of a with block."""

    def __init__(self, programs, port, **options):
        self.command = [programs.bench("origin"), "--port", port]
        for name, value in options.items():
            self.command += ["--" + name, value]
        self.process = None

    def __enter__(self):
        self.process = Process(self.command, core=ORIGIN_CORE, stderr=subprocess.DEVNULL)
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.end(signal.SIGKILL, codes=(-signal.SIGKILL,))


class Scratch:
    """Files of one row, gone with it."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="fetchline-bench-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def fresh_folder(self, name):
        """Those before it stay: for half a minute ext4 searches around what was deleted, at up to
        100 µs for each file that is made."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.path)

    def urls(self, count, port, hosts=1, slow_every=0):
        """A list of URLs: "/p/N", or "/s/N", which the origin answers late."""
        path = self.file(f"urls-{count}-{hosts}-{slow_every}")
        with open(path, "w", encoding="ascii") as file:
            for i in range(count):
                host = i % hosts
                kind = "s" if slow_every and i % slow_every == slow_every // 2 else "p"
                file.write(f"http://127.{1 + host // 62500}.{host // 250 % 250}.{1 + host % 250}"
                           f":{port}/{kind}/{i}\n")
        return path


@dataclass
class Spread:
    """The median of paired ratios, and the least and the greatest of them."""
    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def __str__(self):
        digits = 2 if self.median >= 0.1 else 3
        return (f"{self.median:.{digits}f} "
                f"({min(self.values):.{digits}f}–{max(self.values):.{digits}f})")


def is_steady(control_spread):
    return AA_LOWEST <= control_spread.median <= AA_HIGHEST


@dataclass
class Comparison:
    ratio: Spread
    control: Spread  # of A over A: how much of it is the machine
    a: list = field(default_factory=list)
    b: list = field(default_factory=list)

    @property
    def is_steady(self):
        return is_steady(self.control)


def control(measure_a, pairs):
    """A over A, one after the other, until it is steady or that was tried often enough."""
    for _ in range(ATTEMPTS):
        costs = [measure_a() for _ in range(pairs + 1)]
        spread = Spread([after / before for before, after in zip(costs, costs[1:])])
        if is_steady(spread):
            break
    return spread


def compare(measure_a, measure_b, pairs):
    """A B A B … A: each B over the mean of the As around it. The As are a control of their own,
    over the very time in which B was measured; an unsteady comparison is made anew."""
    for _ in range(ATTEMPTS):
        a, b = [measure_a()], []
        for _ in range(pairs):
            b.append(measure_b())
            a.append(measure_a())
        ratios = [2 * here / (before + after) for here, before, after in zip(b, a, a[1:])]
        result = Comparison(Spread(ratios),
                            Spread([after / before for before, after in zip(a, a[1:])]), a, b)
        if result.is_steady:
            break
    return result
