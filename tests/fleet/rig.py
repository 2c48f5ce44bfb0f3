"""Scenarios of a fleet that is disturbed, by name, and how they are run: one after the other or
beside each other, each with directories, a network and a seed of its own."""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from fleet import BUILD, Fleet, allow_many_files, require

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
    print(f"{wanted.number:>7}  {'FAILED' if why else 'ok    '}  {wanted.name}: {figures}"
          f"{'; ' + why if why else ''}", flush=True)
    if not why and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return why is None


def arguments(text):
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="these; all of them otherwise")
    parser.add_argument("--build", default=BUILD, type=pathlib.Path, help="where the programs are")
    parser.add_argument("--full", action="store_true", help="the matrix's own sizes")
    parser.add_argument("--jobs", type=int, default=2, help="rows at once")
    parser.add_argument("--slowness", type=float, default=1, 
                        help="factor for time limits and memory, under sanitizers")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the directories of the runs")
    parser.add_argument("--list", action="store_true", help="name the rows, run nothing")
    options = parser.parse_args()
    if unknown := [number for number in options.rows if number not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}")
    return options


def main(text):
    """Of a program that has named its rows; `text` is its help."""
    options = arguments(text)
    if options.list:
        for wanted in ROWS.values():
            print(f"{wanted.number:>7}  {wanted.name}")
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
