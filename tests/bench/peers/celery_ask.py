"""celery_ask.py URLS OUTPUT: hands out every URL, writes the bodies in input order."""

import sys

import celery
from celery_tasks import fetch

with open(sys.argv[1], encoding="ascii") as lines:
    job = celery.group(fetch.s(line.strip()) for line in lines).apply_async()
with open(sys.argv[2], "w", encoding="utf-8") as output:
    output.writelines(job.get())
