#!/usr/bin/env python3
"""Runs the benchmarks and writes RESULTS.md and cpu-per-url.png beside itself.

    run.py --build DIR --commit ID [--quick] [--rows 1,2,…] [--no-plot]

With --rows the table goes to stdout only: RESULTS.md is always one whole run. Installing and
building is run.sh's work.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys

import plot
import rows
from measure import AA_HIGHEST, AA_LOWEST, CLIENT_CORE, Failed, free_ports, is_steady

HERE = os.path.dirname(os.path.abspath(__file__))


class Programs:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.fetchline = self.path("deploy/local/fetchline")
        self.producer = self.path("producer/fetchline-producer")
        self.worker = self.path("worker/fetchline-worker")
        self.collector = self.path("collector/fetchline-collector")

    def path(self, name):
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            sys.exit(f"run.py: {path} is not there; build it first")
        return path

    def bench(self, name):
        return self.path(f"tests/bench/bench-{name}")


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file
                      if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def load():
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def heading(bench, commit, control, load_before):
    return [
        "# Results", "",
        f"- {machine()}; client on one core, origin on another",
        f"- programs of commit {commit}, {datetime.date.today().isoformat()}; "
        f"{output_of('curl', '--version').split(' (')[0]}",
        f"- {bench.pairs} pairs a row{' (`--quick`)' if bench.quick else ''}; "
        f"load before and after: {load_before}, {load()}",
        f"- B0 over B0 before the table: {control}", "",
        "Written by `tests/bench/run.sh`. Ratios are medians of pairs, with the least and the",
        "greatest; A and B are medians. CPU is user + system of the client's processes. A and B take",
        f"turns, and a row is not reported when A over A leaves {AA_LOWEST}–{AA_HIGHEST} meanwhile.",
        "Rows with a letter have no bar to pass.", ""]


def table(results):
    lines = ["| row | what | result | A | B | A/A | pass | aim | |", "|---|---|--:|--:|--:|--:|--:|--:|---|"]
    return lines + [f"| {r.number} | {r.what} | {r.result} | {r.a} | {r.b} | {r.control} | {r.passes}"
                    f" | {r.aim} | {r.verdict} |" for r in results]


def micro_table(bench):
    ran = output_of("taskset", "-c", str(CLIENT_CORE), bench.programs.bench("micro"),
                    "--benchmark_format=json", "--benchmark_min_time=0.2")
    lines = ["Parts by themselves (`bench-micro`), for one result, task, line or record:", "",
             "| part | ns |", "|---|--:|"]
    return lines + [f"| {one['name']} | {1e9 / one['items_per_second']:.0f} |"
                    for one in json.loads(ran)["benchmarks"] if "items_per_second" in one]


def plotted(bench):
    before = rows.first_control(bench)
    if not is_steady(before):
        return ["", f"CPU against concurrency: not reported, B0 over B0 was {before}."]
    points = plot.measure(bench)
    plot.draw(points, os.path.join(HERE, "cpu-per-url.png"))
    return ["", "CPU a URL in µs, at about 5,000 URLs a second; B0 over B0 just before was "
            f"{before}:", ""] + plot.table(points) + \
        ["", "![CPU a URL against concurrency](cpu-per-url.png)"]


def measure_rows(bench, wanted):
    results = []
    for name in wanted:
        try:
            for row in rows.ALL[name](bench):
                print(f"row {row.number}: {row.what}: {row.result} {row.verdict}"
                      f" (A/A {row.control})", file=sys.stderr, flush=True)
                results.append(row)
        except Failed as error:
            results.append(rows.Row(name, "", verdict=f"failed: {error}"))
            print(f"row {name}: {error}", file=sys.stderr, flush=True)
    return results


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--commit", required=True, help="that the programs were built from")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", default=",".join(rows.ALL))
    parser.add_argument("--no-plot", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    if os.cpu_count() < 2:
        sys.exit("run.py: needs two cores, one for the client and one for the origin")
    bench = rows.Bench(Programs(options.build), 3 if options.quick else 7, options.quick,
                       free_ports(3))
    wanted = options.rows.split(",")
    load_before = load()
    control = rows.first_control(bench)
    print(f"B0 over B0: {control}", file=sys.stderr, flush=True)
    results = measure_rows(bench, wanted)
    lines = heading(bench, options.commit, control, load_before) + table(results)
    if not options.no_plot:
        lines += plotted(bench)
    lines += [""] + micro_table(bench)
    if wanted != list(rows.ALL):
        print("\n".join(lines))
        return
    path = os.path.join(HERE, "RESULTS.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{path} is written", file=sys.stderr)


if __name__ == "__main__":
    main()
