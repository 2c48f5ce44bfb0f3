#!/usr/bin/env python3
"""A job with a known result, for tests of the ways to run a fleet.

    job.py write COUNT BASE >urls.txt          COUNT URLs of the origin at BASE, some of them slow
    job.py check COUNT BASE RESULTS [emits]    every index once, in order, with the right body, and
                                               with what the rule emits
    job.py rule                                an exec: rule, for any POSIX shell: a URL for each index

Delays are up to DELAY ms, 300 unless the environment says otherwise.
"""
import hashlib
import json
import os
import random
import sys

RULE = "exec:cut -d, -f1 | cut -d: -f2 | sed s,^,http://next.example/,"
MOST_DELAY = int(os.environ.get("DELAY", "300"))  # ms


def target_of(index):
    own = random.Random(index)  # the URL's own, whoever fetches it and however often
    size = own.choice([0, 10, 200, 1000, 1000, 5000, 60000])
    delay = 3000 if own.random() < 0.001 else own.randrange(MOST_DELAY + 1)
    return f"/{index}?size={size}&delay={delay}", size


def write(count, base):
    for index in range(count):
        print(base + target_of(index)[0])


def check(count, base, path, emits=""):
    seen = 0
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for line in file:
            digest.update(line)
            record = json.loads(line)
            target, size = target_of(seen)
            pattern = target + "#"
            assert record["index"] == seen, f"index {record['index']} where {seen} was due"
            assert record["url"] == base + target, f"{seen}: {record['url']}"
            assert record["outcome"] == "ok", f"{seen}: {record['outcome']} {record['errormsg']}"
            assert record["body"] == (pattern * (size // len(pattern) + 1))[:size], f"{seen}: body"
            emitted = [f"http://next.example/{seen}"] if emits else None
            assert record.get("emit") == emitted, f"{seen}: {record.get('emit_error', 'other lines')}"
            seen += 1
    assert seen == count, f"{seen} records of {count} tasks"
    with open(path + ".manifest.json") as file:
        manifest = json.load(file)
    assert manifest["count"] == count and manifest["outcomes"] == {"ok": count}, manifest
    assert manifest["sha256"] == digest.hexdigest(), "the manifest is of another output"
    assert not os.path.exists(path + ".spill"), "the journal was left behind"
    print(f"exact: {count} records, each once, in order, with its body")


def main():
    command, *rest = sys.argv[1:]
    if command == "rule":
        print(RULE)
        return
    count, *rest = rest
    try:
        {"write": write, "check": check}[command](int(count), *rest)
    except AssertionError as error:
        sys.exit(f"job.py: {error}")


if __name__ == "__main__":
    main()
