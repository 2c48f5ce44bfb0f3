"""The worker's side: one task fetches one URL, a session for each thread."""

import os
import threading

import celery
import requests

app = celery.Celery("fetch", broker=os.environ["BENCH_BROKER"],
                    backend=os.environ["BENCH_BROKER"])
local = threading.local()


@app.task
def fetch(url):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    return local.session.get(url).text
