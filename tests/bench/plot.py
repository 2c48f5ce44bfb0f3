"""CPU a URL against concurrency, drawn with gnuplot.

Every point is about 5,000 URLs a second: N at once, each answered after N/5000 s, log-normally
spread. So as many are really under way as the axis says, and nobody runs at its limit."""

import os
import shutil
import statistics
import subprocess

import peers
from measure import Failed, Scratch
from rows import shards_for

RATE = 5000
SIGMA = 0.25
CURL_MOST = 300  # curl 7.88 takes no more at once

SCRIPT = """
set terminal pngcairo size 900,560 font "sans,11"
set output "{png}"
set title "CPU of the client a URL: HTTP/1.1, 1 kB, one host, about {rate} URL/s"
set xlabel "transfers at once"
set ylabel "µs (user + system)"
set logscale xy
set grid
set key top left
set xrange [6:11000]
plot {lines}
"""


def programs(bench, scratch):
    records = scratch.file("records")
    aiohttp = next(peer for peer in peers.ALL if peer.name == "aiohttp")
    found = {
        "B0: one multi handle": lambda urls, n: bench.loop(urls, n),
        "B1: sharded, bodies discarded": lambda urls, n: bench.loop(urls, n, shards_for(n)),
        "fetchline, ordered NDJSON": lambda urls, n: bench.fetchline(urls, records, n),
        "curl -Z": lambda urls, n: bench.curl(urls, scratch.fresh_folder("curl"), n),
        "aiohttp": lambda urls, n: aiohttp.run(urls, scratch.fresh_folder("aiohttp"), n),
    }
    if aiohttp.missing():
        del found["aiohttp"]
    return found


def measure(bench):
    """{name: [(concurrency, µs a URL)]}"""
    steps = (8, 64, 512, 2048, 8192) if bench.quick else (8, 32, 128, 512, 1024, 2048, 4096, 8192)
    points = {}
    with Scratch() as scratch:
        for at_once in steps:
            count = max(10_000, 3 * at_once)
            urls = scratch.urls(count, bench.port)
            with bench.origin(delay=at_once / RATE, sigma=SIGMA):
                for name, run in programs(bench, scratch).items():
                    if name == "curl -Z" and at_once > CURL_MOST:
                        continue
                    try:
                        costs = [run(urls, at_once).cpu for _ in range(1 if bench.quick else 3)]
                    except Failed as error:
                        print(f"plot: {name} at {at_once}: {error}", flush=True)
                        continue
                    microseconds = statistics.median(costs) / count * 1e6
                    points.setdefault(name, []).append((at_once, microseconds))
    return points


def draw(points, png):
    if not shutil.which("gnuplot"):
        return
    with Scratch() as scratch:
        lines = []
        for number, (name, series) in enumerate(points.items()):
            path = scratch.file(str(number))
            with open(path, "w", encoding="ascii") as file:
                file.writelines(f"{x} {y:.2f}\n" for x, y in series)
            lines.append(f'"{path}" with linespoints linewidth 2 title "{name}"')
        script = SCRIPT.format(png=os.path.abspath(png), rate=RATE, lines=", ".join(lines))
        subprocess.run(["gnuplot"], input=script, text=True, check=True)


def table(points):
    steps = sorted({x for series in points.values() for x, _ in series})
    lines = ["| at once | " + " | ".join(str(step) for step in steps) + " |",
             "|---|" + "--:|" * len(steps)]
    for name, series in points.items():
        by_step = dict(series)
        cells = [f"{by_step[step]:.0f}" if step in by_step else "" for step in steps]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines
