#!/usr/bin/env python3
"""Kills processes of a fleet at random until it is done, and checks that nobody notices.

A producer, a collector and some workers fetch TASKS URLs from an origin on loopback. A driver with
a printed seed kills one of them with SIGKILL every now and then and starts it again with the same
command, as a supervisor would. At the end the output must hold every record once, in order, with
the body that its URL has; and the processes must have ended with 0.

    tests/faults/soak.py --tasks 30000 --kills 100 --seed 7
"""
import argparse
import collections
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fleet"))
# pylint: disable-next=wrong-import-position
from fleet import BUILD, Process, Tasks, allow_many_files, free_port, program, require  # noqa: E402

WEIGHTS = {"worker": 70, "producer": 15, "collector": 15}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=BUILD, type=pathlib.Path, help="where the programs are")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--every", type=float, default=0.25, help="seconds between kills, on average")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--durability", default="process")
    parser.add_argument("--limit", type=float, default=3600, help="seconds until it counts as hung")
    parser.add_argument("--keep", action="store_true", help="keep the directory of the run")
    return parser.parse_args()


class Soak:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.random = random.Random(options.seed)
        self.kills = collections.Counter()
        self.output = directory / "results.ndjson"

    def run(self):
        options = self.options
        origin = subprocess.Popen([options.build / "tests/origin/fetchline-origin"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            # Some are slow: what comes after them waits in the collector.
            self.tasks = Tasks(f"127.0.0.1:{int(origin.stdout.readline())}", options.tasks,
                               slow=0.0005)
            self.tasks.write(self.directory / "urls.txt")
            self.start_fleet()
            self.torment()
            self.wait_for_the_end()
            self.tasks.check(self.output)
        finally:
            for process in getattr(self, "fleet", []):
                if process.poll() is None:
                    process.kill()
            origin.kill()

    def start_fleet(self):
        build = self.options.build
        tasks = f"tcp://127.0.0.1:{free_port()}"
        results = f"tcp://127.0.0.1:{free_port()}"
        self.log = open(self.directory / "log.txt", "w")
        commands = [("collector", [program(build, "collector"), "--bind", results,
                                   "-o", self.output, "--resume", "--progress", "none",
                                   "--durability", self.options.durability]),
                    ("producer", [program(build, "producer"), "--bind", tasks,
                                  "--collector", results, "-i", self.directory / "urls.txt",
                                  "--resume", "--progress", "none"])]
        for _ in range(self.options.workers):
            commands.append(("worker", [program(build, "worker"), "--producer", tasks,
                                        "--collector", results, "-j", "16"]))
        self.fleet = [Process(role, command, self.log) for role, command in commands]

    def alive(self):
        return [process for process in self.fleet if process.poll() is None]

    def torment(self):
        """Kills until the budget is spent or the job is done."""
        deadline = time.monotonic() + self.options.limit
        while sum(self.kills.values()) < self.options.kills and time.monotonic() < deadline:
            time.sleep(self.random.expovariate(1 / self.options.every))
            alive = self.alive()
            if len(alive) < len(self.fleet):
                return  # somebody has ended: the job is done, or something is wrong
            role = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            victim = self.random.choice([process for process in alive if process.role == role])
            victim.kill_and_restart()
            self.kills[role] += 1

    def wait_for_the_end(self):
        deadline = time.monotonic() + self.options.limit
        while self.alive():
            roles = ", ".join(process.role for process in self.alive())
            require(time.monotonic() < deadline, f"still running: {roles}")
            time.sleep(0.05)
        for process in self.fleet:
            require(process.code == 0, f"{process.role} ended with {process.code}")


def main():
    options = arguments()
    allow_many_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="fetchline-soak-"))
    print(f"seed {options.seed}: {options.tasks} tasks, {options.workers} workers, up to "
          f"{options.kills} kills", flush=True)
    soak = Soak(options, directory)
    began = time.monotonic()
    try:
        soak.run()
    except AssertionError as error:
        print(f"FAILED: {error}; kills {dict(soak.kills)}; see {directory}", flush=True)
        return 1
    kills = sum(soak.kills.values())
    print(f"{kills} kills {dict(soak.kills)} in {time.monotonic() - began:.0f} s: 0 lost, 0 twice, "
          f"0 out of order", flush=True)
    if not options.keep:
        subprocess.run(["rm", "-rf", directory], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
