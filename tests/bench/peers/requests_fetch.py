"""requests_fetch.py URLS OUTPUT CONCURRENCY: a session for each thread, bodies in input order."""

import concurrent.futures
import sys
import threading

import requests

local = threading.local()


def fetch(url):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    return local.session.get(url).content


with open(sys.argv[1], encoding="ascii") as lines, open(sys.argv[2], "wb") as output:
    with concurrent.futures.ThreadPoolExecutor(int(sys.argv[3])) as threads:
        for body in threads.map(fetch, [line.strip() for line in lines]):
            output.write(body)
