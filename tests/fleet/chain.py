"""Three stages, each a fleet that takes what the one before finds: row 31 of the fault matrix, and the
same with keys."""
import os
import random
import subprocess
import urllib.parse

from fleet import ROLES, Fleet, Tasks, Watch, program, require
from rig import row


class Lists(Tasks):
    """Pages that list `each` of the next stage's tasks, a URL a line."""

    def __init__(self, following, each, delay):
        super().__init__(following.origin, following.count // each, delay)
        self.following, self.each = following, each

    def body(self, index):
        listed = range(index * self.each, (index + 1) * self.each)
        return "".join(self.following.url(number)[0] + "\n" for number in listed)

    def url(self, index):
        own = random.Random(index)
        body = self.body(index)
        return (f"http://{self.origin}/?delay={own.randint(*self.delay)}&i={index}"
                f"&body={urllib.parse.quote(body)}"), len(body)


class Stage:
    def __init__(self, fleet, number, tasks):
        self.number, self.tasks = number, tasks
        self.output = fleet.output
        if number < 2:
            self.output = fleet.output.with_name(f"stage{number}.ndjson")
        self.of = {}

    def end(self, fleet, host, kind, ahead=0):
        port = 5000 + 10 * (self.number + ahead) + kind
        return f"tcp://{fleet.network.address(host)}:{port}"

    def start(self, fleet):
        task_port, result_port = self.end(fleet, "p", 1), self.end(fleet, "c", 2)
        before = ("-i", fleet.input) if self.number == 0 else ("--listen", self.end(fleet, "p", 3))
        onward = () if self.number == 2 else ("--next", self.end(fleet, "p", 3, ahead=1))
        add = fleet.add_process
        self.of = {
            "collector": [add("collector", "c", "--bind", result_port, "-o", self.output,
                              "--resume", *onward)],
            "producer": [add("producer", "p", "--bind", task_port, "--collector", result_port,
                             "--resume", *before)],
            "worker": [add("worker", f"w{2 * self.number + twin}", "--producer", task_port,
                           "--collector", result_port, "-j", fleet.concurrency)
                       for twin in (1, 2)]}

    def records(self):
        return self.output.read_bytes().count(b"\n") if self.output.exists() else 0


class Chain(Fleet):
    """Three stages: index pages, the pages that these list, the images that those list. Producers
    share a host, collectors too. The output and the tasks are those of the last stage."""

    concurrency = 16

    def __init__(self, rig, count, keyed=False):
        super().__init__(rig.build, rig.directory, f"fl{os.getpid()}r{rig.number}", 6, keyed=keyed)
        rig.clean.append(self.close)
        self.prepare(count, sizes=(0, 10, 200, 1000))
        pages = Lists(self.tasks, each=3, delay=(0, 100))
        indices = Lists(pages, each=4, delay=(1000, 2000))  # the pace of all
        indices.write(self.input)
        self.stages = [Stage(self, number, tasks)
                       for number, tasks in enumerate((indices, pages, self.tasks))]

    def start(self):  # pylint: disable=arguments-differ
        for stage in self.stages:
            stage.start(self)
        self.watch = Watch(self)


def verdict_of_every_stage(rig, fleet, kills):
    rig.verdict(fleet)
    for stage in fleet.stages:
        stage.tasks.check(stage.output)
    rig.figures["N"] = sum(stage.tasks.count for stage in fleet.stages)
    rig.figures["beyond N"] -= rig.figures["N"] - fleet.tasks.count
    most = kills * 2 * fleet.concurrency * 2 + rig.figures["N"] // 50
    require(rig.figures["beyond N"] <= most, f"more than {most} requests beyond N")


@row("31", "chain of stages, kills in every one")
def kill_in_every_stage(rig):
    fleet = Chain(rig, rig.size(3600, 36_000))
    kills = []
    for number in range(rig.size(2, 20)):
        # A task that has lost three workers would be abandoned.
        roles = ROLES if number < 2 else ("producer", "collector")
        each_once = [(stage, role) for stage in range(3) for role in roles]
        kills += rig.random.sample(each_once, len(each_once))
    fleet.start()
    first = fleet.stages[0]
    # While the first has work, all have: who comes back finds the others.
    for count, (number, role) in enumerate(kills, 1):
        due = first.tasks.count * count // (len(kills) + 2)
        fleet.wait_until(lambda due=due: first.records() >= due, 60, "the first stage stands still")
        rig.random.choice(fleet.stages[number].of[role]).kill_and_restart()
    fleet.wait_until(lambda: first.records() == first.tasks.count, 60,
                     "the first stage does not end")
    first.of["collector"][0].kill_and_restart()
    verdict_of_every_stage(rig, fleet, len(kills))


def require_keys(fleet, stage):
    """Who has none is told so by both ports, and gets nothing."""
    silent = {stage.end(fleet, "p", 1), stage.end(fleet, "c", 2)}
    with subprocess.Popen(fleet.network.within(
            "w1", program(fleet.build, "worker"), "--producer", stage.end(fleet, "p", 1),
            "--collector", stage.end(fleet, "c", 2), "--peer-timeout", "20", "--progress", "none",
            "--insecure-plaintext"), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) as asking:
        for line in asking.stderr:
            silent = {port for port in silent if f"{port} asks for keys" not in line}
            if not silent:
                break
        asking.kill()
    require(not silent, f"who has no key is not told so by {silent}")


@row("chain", "chain of stages with keys, kills of what joins the middle one to the others")
def kill_between_keyed_stages(rig):
    fleet = Chain(rig, rig.size(1200, 12_000), keyed=True)
    fleet.start()
    first, middle, _ = fleet.stages
    for part, role in enumerate(("producer", "collector"), 1):
        due = first.tasks.count * part // 4
        fleet.wait_until(lambda due=due: first.records() >= due, 60, "the first stage stands still")
        middle.of[role][0].kill_and_restart()
    require_keys(fleet, middle)
    verdict_of_every_stage(rig, fleet, 2)
