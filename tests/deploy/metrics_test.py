#!/usr/bin/env python3
"""What the four programs expose at /metrics is what Prometheus reads and the house names, and what
the alert rules, the dashboard and the autoscalers in deploy/ ask for is among it.

    metrics_test.py ROOT FETCHLINE PRODUCER WORKER COLLECTOR     exit code 77: skipped
    metrics_test.py --self-test                                  plants mistakes and looks for them
"""
import contextlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    if os.path.exists("/usr/bin/python3") and sys.prefix != "/usr":  # the package is for the system's own
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("skipped: no python3-prometheus-client")
    sys.exit(77)

PATIENCE = 60  # seconds; only failures take it
NAME = re.compile(r"fetchline_(ready|build_info|(producer|worker|collector)_[a-z_]+)$|process_start_time_seconds$")
LABELS = {"outcome", "le", "program", "version"}
MOST_SERIES = 20  # of one name
TASKS = 5


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers, but for /hang."""
    released = threading.Event()

    def do_GET(self):
        if self.path == "/hang":
            self.released.wait(PATIENCE)
        with contextlib.suppress(OSError):  # who asked was ended
            self.send_response(200 if self.path != "/missing" else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def metric_problems(text):
    """What a strict reader finds wrong in an exposition; and the names in it."""
    problems, names = [], set()
    if not text.endswith("\n"):
        problems.append("does not end with a line feed")
    try:
        families = list(text_string_to_metric_families(text))
    except Exception as error:  # whatever a parser throws
        return [f"not parsed: {error}"], names
    if len({family.name for family in families}) != len(families):
        problems.append("a family is there twice")
    for family in families:
        counts = family.type == "counter"
        name = family.name + ("_total" if counts else "")
        names.update(sample.name for sample in family.samples)
        names.add(name)
        if not NAME.match(name):
            problems.append(f"{name}: no name of ours")
        if family.type not in ("counter", "gauge", "histogram"):
            problems.append(f"{name}: is a {family.type}")
        if not family.documentation.endswith("."):
            problems.append(f"{name}: HELP is no sentence")
        if len(family.samples) > MOST_SERIES:
            problems.append(f"{name}: {len(family.samples)} series")
        if len({tuple(sorted(s.labels.items())) + (s.name,) for s in family.samples}) != len(family.samples):
            problems.append(f"{name}: a series is there twice")
        for sample in family.samples:
            problems += [f"{name}: label {label}" for label in sample.labels if label not in LABELS]
            if sample.value < 0 or sample.value != sample.value:
                problems.append(f"{name}: {sample.value}")
    return problems, names


def foreign_names(text, exposed):
    return sorted({name for name in re.findall(r"\bfetchline_[a-z0-9_]+", text) if name not in exposed})


def shipped(root):
    for folder in ("prometheus", "grafana", "kubernetes/components"):
        for path, _, names in os.walk(os.path.join(root, "deploy", folder)):
            for name in sorted(names):
                if name.endswith((".yaml", ".json")):
                    yield os.path.join(path, name)


def mixes_stages(expression):
    """Adds up what several jobs or instances say, without telling which."""
    sums = re.findall(r"\b(?:sum|max|min|avg|count)\b(?: by \(([^)]*)\))?", expression)
    return any(not {"job", "instance"} & set(re.split(r",\s*", labels)) for labels in sums)


def dashboard_problems(path):
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    problems = []
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        problems.append("panels share an id")
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if cells & taken or at["x"] + at["w"] > 24:
            problems.append(f"{panel['title']}: lies on another panel")
        taken |= cells
        if not all(target["expr"] for target in panel["targets"]):
            problems.append(f"{panel['title']}: asks for nothing")
        # Of a chain, each stage has a producer and a collector of its own.
        if any(mixes_stages(target["expr"]) for target in panel["targets"]):
            problems.append(f"{panel['title']}: mixes stages")
    return problems


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.05)
    raise TimeoutError(what)


@contextlib.contextmanager
def running(program, *args):
    """The program, watched: the port to ask."""
    port = free_port()
    # The test's own environment may hold settings of a developer's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FETCHLINE_")}
    process = subprocess.Popen([program, *args, "--http", f"127.0.0.1:{port}", "--progress", "none"],
                               env=environment, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def expositions(programs, origin, folder):
    """Of the four programs, in the middle of a job that one task holds up."""
    fetchline, producer, worker, collector = programs
    urls = os.path.join(folder, "urls")
    with open(urls, "w", encoding="utf-8") as file:
        for path in ["/", "/missing"] + ["/hang"] * (TASKS - 2):
            file.write(f"http://user:secret@127.0.0.1:{origin}{path}\n")
    tasks, results = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    with running(fetchline, "-i", urls) as whole, \
         running(collector, "--bind", results, "--next", f"tcp://127.0.0.1:{free_port()}") as c, \
         running(worker, "--producer", tasks, "--collector", results, "--emit", "exec:true") as w, \
         running(producer, "--bind", tasks, "--collector", results, "-i", urls) as p:
        for port in (whole, p, c):
            wait_for(lambda port=port: json.loads(get(port, "/status"))["progress"]["done"] == 2, "two records")
        # The rate is measured once a second, and with it the work that is left.
        for port in (whole, p):
            wait_for(lambda port=port: json.loads(get(port, "/status"))["producer"]["work_left_seconds"], "a rate")
        return {program: get(port, "/metrics") for program, port in zip(programs, (whole, p, w, c))}


def promtool(*arguments, text=None):
    if shutil.which("promtool") is None:
        return []
    ended = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False)
    return [] if ended.returncode == 0 else [f"promtool {' '.join(arguments)}: {ended.stdout}{ended.stderr}"]


def check(root, programs):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        texts = expositions(programs, server.server_port, folder)
    Origin.released.set()
    server.shutdown()
    found, exposed = [], set()
    for program, text in texts.items():
        problems, names = metric_problems(text)
        exposed |= names
        if "secret" in text or "http://" in text:
            problems.append("shows a URL")
        problems += promtool("check", "metrics", text=text)
        found += [f"{os.path.basename(program)}: {problem}" for problem in problems]
        print(f"{os.path.basename(program)}: {len(names)} names, {len(text)} bytes")
    rules = os.path.join(root, "deploy/prometheus")
    found += promtool("check", "rules", os.path.join(rules, "fetchline.rules.yaml"))
    found += promtool("test", "rules", os.path.join(rules, "fetchline.rules.test.yaml"))
    asked = 0
    for path in shipped(root):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        asked += len(re.findall(r"\bfetchline_[a-z0-9_]+", text))
        found += [f"{path}: nobody exposes {name}" for name in foreign_names(text, exposed)]
        if "/grafana/" in path:
            found += [f"{path}: {problem}" for problem in dashboard_problems(path)]
    print(f"{asked} times a metric is asked for in deploy/, of {len(exposed)}")
    return found + ([] if asked else ["no metric is asked for: this test looks in the wrong place"])


def self_test():
    good = "# HELP fetchline_worker_slots Of it.\n# TYPE fetchline_worker_slots gauge\nfetchline_worker_slots 1\n"
    planted = {
        "not parsed": good + "fetchline_worker_slots{a=1} 2\n",
        "no name of ours": good.replace("worker_slots", "workerSlots"),
        "no sentence": good.replace("Of it.", "of it"),
        "label url": good.replace("slots 1", 'slots{url="a"} 1'),
        "series is there twice": good + "fetchline_worker_slots 1\n",
        "is a unknown": good.replace("# TYPE fetchline_worker_slots gauge\n", ""),
        "21 series": good + "".join(f'fetchline_worker_slots{{outcome="{i}"}} 1\n' for i in range(20)),
        "-1": good.replace("slots 1", "slots -1"),
    }
    found = [f"a good one: {problem}" for problem in metric_problems(good)[0]]
    found += [f"not found: {part}" for part, text in planted.items()
              if not any(part in problem for problem in metric_problems(text)[0])]
    if foreign_names("rate(fetchline_a_total[5m]) + fetchline_b", {"fetchline_b"}) != ["fetchline_a_total"]:
        found.append("not found: a foreign name")
    for expression, mixed in (("sum(a)", True), ("sum by (le) (a)", True), ("sum by (job, le) (a)", False), ("a", False)):
        if mixes_stages(expression) != mixed:
            found.append(f"mixes_stages({expression}) is not {mixed}")
    return found


def main():
    if sys.argv[1:] == ["--self-test"]:
        found = self_test()
    else:
        found = check(sys.argv[1], sys.argv[2:])
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
