"""The other programs that fetch lists of URLs: how to run each, 64 at once, every body kept."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Callable

from measure import Cost, Failed, Process, run

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
PYTHON = "/usr/bin/python3"  # the one that has Debian's modules
REDIS_PORT = 18379


def curl_config(urls, folder):
    path = os.path.join(folder, "config")
    with open(urls, encoding="ascii") as lines, open(path, "w", encoding="ascii") as config:
        for number, url in enumerate(lines):
            config.write(f'url = "{url.strip()}"\noutput = "{folder}/{number}"\n')
    return path


def wget2(urls, folder, concurrency):
    return run(["wget2", "--quiet", "--no-config", f"--max-threads={concurrency}", "--no-robots",
                "-i", urls, "-P", folder])


def aria2(urls, folder, concurrency):
    return run(["aria2c", "--no-conf", "--quiet", "-i", urls, "-d", folder, "-j", concurrency,
                "-x", 1, "--file-allocation=none", "--auto-file-renaming=false"])


def python_script(name):
    def run_script(urls, folder, concurrency):
        return run([PYTHON, os.path.join(SCRIPTS, name), urls, os.path.join(folder, "out"),
                    concurrency])
    return run_script


def await_redis():
    for _ in range(100):
        if subprocess.run(["redis-cli", "-p", str(REDIS_PORT), "ping"], capture_output=True,
                          check=False).stdout.startswith(b"PONG"):
            return
        time.sleep(0.1)
    raise Failed("redis-server does not start")


def celery(urls, folder, concurrency):
    """Redis, one worker with threads, and who asks: what all three cost."""
    broker = f"redis://127.0.0.1:{REDIS_PORT}/0"
    environment = dict(os.environ, BENCH_BROKER=broker, PYTHONPATH=SCRIPTS)
    redis = Process(["redis-server", "--port", REDIS_PORT, "--save", "", "--dir", folder])
    await_redis()
    worker = Process([PYTHON, "-m", "celery", "-A", "celery_tasks", "worker", "--pool=threads",
                      f"--concurrency={concurrency}", "--loglevel=ERROR", "--without-gossip",
                      "--without-mingle", "--without-heartbeat"], env=environment)
    try:
        asker = Process([PYTHON, os.path.join(SCRIPTS, "celery_ask.py"), urls,
                         os.path.join(folder, "out")], env=environment).end()
    finally:
        others = worker.end(signal.SIGTERM) + redis.end(signal.SIGTERM)
    return asker + others


@dataclass
class Peer:
    name: str
    urls: int  # so many that it takes some seconds
    run: Callable[[str, str, int], Cost]
    program: str = ""
    modules: tuple = ()

    def missing(self):
        if self.program and not shutil.which(self.program):
            return True
        imports = "import " + ", ".join(self.modules or ("sys",))
        return subprocess.run([PYTHON, "-c", imports], capture_output=True,
                              check=False).returncode != 0


ALL = [
    Peer("wget2", 20_000, wget2, program="wget2"),
    Peer("aria2", 8_000, aria2, program="aria2c"),
    Peer("aiohttp", 20_000, python_script("aiohttp_fetch.py"), modules=("aiohttp",)),
    Peer("requests in 64 threads", 8_000, python_script("requests_fetch.py"),
         modules=("requests",)),
    Peer("Scrapy", 4_000, python_script("scrapy_fetch.py"), modules=("scrapy",)),
    Peer("Celery on Redis", 4_000, celery, program="redis-server",
         modules=("celery", "redis", "requests")),
]
