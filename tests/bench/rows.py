"""The rows of the table: what is compared with what. Each yields Rows; run.py knows the order."""

import json
import os
import socket
import subprocess
import statistics
import time
from dataclasses import dataclass

import peers
from measure import (CLIENT_CORE, ORIGIN_CORE, Cost, Failed, Origin, Process, Scratch, Spread,
                     compare, control, is_steady, run)


@dataclass
class Row:
    number: str
    what: str
    result: str = ""  # the figure with its spread
    a: str = ""
    b: str = ""
    control: str = ""
    passes: str = ""
    aim: str = ""
    verdict: str = ""
    factor: float = 0.0  # A over B


@dataclass
class Bench:
    programs: object
    pairs: int
    quick: bool
    port: int  # of the origin; the next two are the fleet's

    def origin(self, **options):
        return Origin(self.programs, self.port, **options)

    def loop(self, urls, concurrency, shards=0, output=None):
        command = [self.programs.bench("loop"), "--urls", urls, "--concurrency", concurrency,
                   "--shards", shards]
        return run(command + (["--output", output] if output else []))

    def fetchline(self, urls, output, concurrency, *more):
        return run([self.programs.fetchline, "-q", "--progress", "none", "-i", urls, "-o", output,
                    "--overwrite", "-j", concurrency, *more])

    def curl(self, urls, folder, concurrency=64):
        """curl -Z, each body in a file of its own."""
        return run(["curl", "-q", "-Z", "--parallel-max", concurrency, "--no-progress-meter",
                    "-K", peers.curl_config(urls, folder)])


def shards_for(concurrency):
    return min(max(concurrency // 128, 1), 64)


def judged(row, value, low_is_good=True):
    passes, aim = float(row.passes), float(row.aim)
    meets = (lambda limit: value <= limit) if low_is_good else (lambda limit: value >= limit)
    row.verdict = "aim" if meets(aim) else "pass" if meets(passes) else "**fails**"
    return row


def compared(row, comparison, unit, scale, low_is_good=True):
    """Fills a row from a comparison, or says why it has no figure."""
    row.control = str(comparison.control)
    if not comparison.is_steady:
        row.verdict = "not reported: A/A is unsteady"
        return row
    row.result = str(comparison.ratio)
    row.factor = 1 / comparison.ratio.median
    row.a = f"{statistics.median(comparison.a) * scale:.1f} {unit}"
    row.b = f"{statistics.median(comparison.b) * scale:.1f} {unit}"
    return judged(row, comparison.ratio.median, low_is_good) if row.passes else row


def cpu_row(bench, row, count, measure_a, measure_b):
    comparison = compare(lambda: measure_a().cpu, lambda: measure_b().cpu, bench.pairs)
    return compared(row, comparison, "µs", 1e6 / count)


def first_control(bench):
    with Scratch() as scratch, bench.origin():
        urls = scratch.urls(40_000, bench.port)
        return control(lambda: bench.loop(urls, 64).cpu, bench.pairs)


def guarded(rows):
    """For rows that compare nothing: B0 over B0 just before, and no figure when it is unsteady."""
    def guard(bench):
        spread = first_control(bench)
        for row in rows(bench):
            if not row.control:
                row.control = f"{spread} of B0, before"
                if not is_steady(spread):
                    row.result = row.a = row.b = ""
                    row.verdict = "not reported: A/A is unsteady"
            yield row
    return guard


def row_1(bench):
    count = 40_000
    with Scratch() as scratch, bench.origin():
        urls, output = scratch.urls(count, bench.port), scratch.file("records")
        yield cpu_row(bench, Row("1", "ordered NDJSON, 1 kB, 64 at once: CPU over B0",
                                 passes="1.25", aim="1.00"), count,
                      lambda: bench.loop(urls, 64), lambda: bench.fetchline(urls, output, 64))
        yield cpu_row(bench, Row("1b", "the same over B2"), count,
                      lambda: bench.loop(urls, 64, 1, scratch.file("bodies")),
                      lambda: bench.fetchline(urls, output, 64))


def row_2(bench):
    count = 40_000
    with Scratch() as scratch, bench.origin(delay=0.5):
        urls, output = scratch.urls(count, bench.port), scratch.file("records")
        yield cpu_row(bench, Row("2", "40,000 URLs of 0.5 s, 8,000 at once: CPU over B0",
                                 passes="0.60", aim="0.50"), count,
                      lambda: bench.loop(urls, 8000), lambda: bench.fetchline(urls, output, 8000))
        yield cpu_row(bench, Row("2b", "the same over B1"), count,
                      lambda: bench.loop(urls, 8000, shards_for(8000)),
                      lambda: bench.fetchline(urls, output, 8000))


def row_3(bench):
    count = 24_000
    with Scratch() as scratch, bench.origin(delay=0.5):
        urls, output = scratch.urls(count, bench.port, hosts=8000), scratch.file("records")
        yield cpu_row(bench, Row("3", "8,000 hosts, 4,000 at once: CPU over B0",
                                 passes="0.50", aim="0.35"), count,
                      lambda: bench.loop(urls, 4000), lambda: bench.fetchline(urls, output, 4000))
        yield cpu_row(bench, Row("3b", "the same over B1"), count,
                      lambda: bench.loop(urls, 4000, shards_for(4000)),
                      lambda: bench.fetchline(urls, output, 4000))


def fleet(bench, urls, output, worker, worker_core=CLIENT_CORE, producer_stdin=None):
    """Producer, collector and worker over TCP; their costs."""
    tasks, results = (f"tcp://127.0.0.1:{bench.port + offset}" for offset in (1, 2))
    quiet = ["-q", "--progress", "none"]
    collector = Process([bench.programs.collector, *quiet, "--bind", results, "-o", output,
                         "--overwrite"])
    producer = Process([bench.programs.producer, *quiet, "--bind", tasks, "--collector", results,
                        "-i", urls], stdin=producer_stdin or subprocess.DEVNULL)
    workers = Process([*worker, "--producer", tasks, "--collector", results], core=worker_core)
    return [process.end() for process in (producer, collector, workers)]


def row_4(bench):
    count = 40_000
    with Scratch() as scratch, bench.origin():
        urls, output = scratch.urls(count, bench.port), scratch.file("records")
        worker = [bench.programs.worker, "-q", "-j", 64]
        yield cpu_row(bench, Row("4", "three processes over TCP, 1 kB, 64 at once: CPU over B2",
                                 passes="1.45", aim="1.30"), count,
                      lambda: bench.loop(urls, 64, 1, scratch.file("bodies")),
                      lambda: sum(fleet(bench, urls, output, worker), Cost()))


def row_5(bench):
    count = 20_000
    with Scratch() as scratch, bench.origin():
        urls = scratch.urls(count, bench.port)
        curl = lambda: bench.curl(urls, scratch.fresh_folder("curl"))
        yield cpu_row(bench, Row("5", "`--format files`: CPU over `curl -Z`", passes="0.80",
                                 aim="0.60"), count, curl,
                      lambda: bench.fetchline(urls, scratch.file("records"), 64, "--format",
                                              "files", "--output-dir",
                                              scratch.fresh_folder("fetchline")))
        yield cpu_row(bench, Row("5b", "NDJSON over `curl -Z`, which writes files"), count, curl,
                      lambda: bench.fetchline(urls, scratch.file("records"), 64))


def row_6(bench):
    with Scratch() as scratch, bench.origin():
        for peer in peers.ALL:
            row = Row("6", f"CPU over {peer.name}", passes="1.00", aim="0.20")
            if peer.missing():
                row.verdict = "not installed"
                yield row
                continue
            count = peer.urls // (4 if bench.quick else 1)
            urls, output = scratch.urls(count, bench.port), scratch.file("records")
            try:
                row = cpu_row(bench, row, count,
                              lambda: peer.run(urls, scratch.fresh_folder("peer"), 64),
                              lambda: bench.fetchline(urls, output, 64))
                row.what += f" (beaten {row.factor:.1f}×)" if row.factor else ""
            except Failed as error:
                row.verdict = f"failed: {error}"
            yield row


def completions(path):
    """When the records' transfers ended, ascending, in seconds."""
    times = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            at = json.loads(line)["fetched_at"]
            hours, minutes, seconds = at[11:-1].split(":")
            times.append(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
    return sorted(times)


def steady_rate(path, concurrency):
    """From the end of the second wave to the end of the last but one: whole waves only."""
    times = completions(path)
    first, last = 2 * concurrency, len(times) - concurrency
    return (last - first) / (times[last - 1] - times[first - 1])


def row_7_and_8(bench):
    concurrency, few, delay = 10_000, 100, 1.5
    waves = 6 if bench.quick else 10
    ceiling = concurrency / delay
    rates, kilobytes = [], []
    with Scratch() as scratch:
        urls, output = scratch.urls(waves * concurrency, bench.port), scratch.file("records")
        for _ in range(1 if bench.quick else 3):
            with bench.origin(delay=delay):
                many = bench.fetchline(urls, output, concurrency)
            rates.append(steady_rate(output, concurrency) / ceiling)
            with bench.origin(delay=delay * few / concurrency):
                base = bench.fetchline(urls, output, few)
            kilobytes.append((many.max_rss_kb - base.max_rss_kb) / (concurrency - few))
    yield judged(Row("7", "10,000 in flight of 1.5 s: achieved over 6,667/s",
                     str(Spread(rates)), b=f"{statistics.median(rates) * ceiling:.0f}/s",
                     passes="0.95", aim="0.99"), statistics.median(rates), low_is_good=False)
    yield judged(Row("8", "RSS a transfer in flight, kB", str(Spread(kilobytes)), passes="20",
                     aim="15"), statistics.median(kilobytes))


def row_9(bench):
    count = 1_000_000
    rates = {"producer": [], "collector": []}
    with Scratch() as scratch:
        urls = scratch.urls(count, bench.port)
        for _ in range(1 if bench.quick else 3):
            producer, collector, _ = fleet(bench, urls, scratch.file("records"),
                                           [bench.programs.bench("fleet")], ORIGIN_CORE)
            rates["producer"].append(count / producer.cpu / 1000)
            rates["collector"].append(count / collector.cpu / 1000)
    for who, passes, aim in (("producer", "300", "500"), ("collector", "150", "300")):
        yield judged(Row("9", f"{who} alone, 1,000 tasks a CPU second", str(Spread(rates[who])),
                         passes=passes, aim=aim), statistics.median(rates[who]), low_is_good=False)


def row_10(bench):
    small, large = (300_000, 3_000_000) if bench.quick else (1_000_000, 10_000_000)
    megabytes = []
    for count in (small, large):
        generator = subprocess.Popen(
            ["taskset", "-c", str(ORIGIN_CORE), "seq", "-f", "http://127.0.0.1/p/%.0f", str(count)],
            stdout=subprocess.PIPE)
        costs = fleet(bench, "-", "/dev/null", [bench.programs.bench("fleet"), "--workers", 256,
                                                "--slots", 64, "--body", 100],
                      ORIGIN_CORE, generator.stdout)
        generator.stdout.close()
        generator.wait()
        megabytes.append([cost.max_rss_kb / 1024 for cost in costs[:2]])
    for who, before, after in zip(("producer", "collector"), *megabytes):
        limit = before * 1.02 + 5
        yield Row("10", f"256 workers, {large:,} over {small:,} tasks: RSS of the {who}",
                  f"{after - before:+.1f} MB", a=f"{before:.1f} MB", b=f"{after:.1f} MB",
                  passes="+2 % + 5 MB", aim="0",
                  verdict="aim" if after <= before else "pass" if after <= limit else "**fails**")


def row_11(bench):
    count, concurrency, delay = (10_000 if bench.quick else 40_000), 200, 0.05
    with Scratch() as scratch, bench.origin(delay=delay, slow=30 * delay):
        urls, output = scratch.urls(count, bench.port, slow_every=1000), scratch.file("records")
        row = Row("11", "0.1 % of tasks 30 times slower: ordered over unordered (B2) throughput",
                  passes="0.98", aim="0.995")
        comparison = compare(
            lambda: count / bench.loop(urls, concurrency, 1, scratch.file("bodies")).wall,
            lambda: count / bench.fetchline(urls, output, concurrency).wall, bench.pairs)
        yield compared(row, comparison, "/s", 1, low_is_good=False)


def first_request_ms(bench):
    """From the program's start to the first byte of its first request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        process = Process([bench.programs.fetchline, "-q", "--progress", "none", url])
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            took = time.monotonic() - process.started
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            process.end()
    return took * 1000


def row_12(bench):
    times = [first_request_ms(bench) for _ in range(5 * bench.pairs)]
    yield judged(Row("12", "start to first request, ms", str(Spread(times)), passes="30",
                     aim="15"), statistics.median(times))
    with Scratch() as scratch, bench.origin():
        urls = scratch.urls(10, bench.port)
        row = Row("12b", "10 URLs end to end: wall over `curl -Z`", passes="1.2", aim="1.0")
        comparison = compare(
            lambda: bench.curl(urls, scratch.fresh_folder("curl")).wall,
            lambda: bench.fetchline(urls, os.path.join(scratch.fresh_folder("fetchline"), "out"),
                                    64).wall, 5 * bench.pairs)
        yield compared(row, comparison, "ms", 1000)


ALL = {"1": row_1, "2": row_2, "3": row_3, "4": row_4, "5": row_5, "6": row_6,
       "7": guarded(row_7_and_8), "9": guarded(row_9), "10": guarded(row_10), "11": row_11,
       "12": guarded(row_12)}
