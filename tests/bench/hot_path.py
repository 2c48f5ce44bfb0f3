#!/usr/bin/env python3
"""Reads callgrind's files of a short and a long run and writes down what a URL costs.

    hot_path.py SHORT_DIR LONG_DIR URLS_BETWEEN COMMIT HOTPATH.md
"""

import collections
import datetime
import glob
import os
import re
import sys

THREADS = {  # by a function that only this thread runs; its lambdas run elsewhere too
    "fetchline::Fetcher::run(": "fetcher",
    "fetchline::Worker::run(": "relay",
    "fetchline::Producer::run(": "producer",
    "fetchline::Collector::run(": "collector",
}
GROUPS = (  # of a function's name, then of the file it was loaded from
    ("malloc, free", re.compile(r"(^|_)(malloc|free|calloc|realloc|int_malloc|int_free|consolidate)\b"
                                r"|^operator (new|delete)|unlink_chunk|tcache|^sysmalloc")),
    ("memcpy and alike", re.compile(r"mem(cpy|move|set|chr|cmp)|^__?str(len|cmp|n?cpy|chr|case)")),
)
TOP = 25
HISTORY = "| commit | date | all |"


class Function:
    def __init__(self):
        self.own = 0
        self.inclusive = 0


def read_profile(path):
    """{(object, function): Function} of one thread."""
    functions = collections.defaultdict(Function)
    names = {"ob": {}, "fn": {}}

    def name_of(kind, text):
        number, _, name = text.partition(" ")
        return names[kind].setdefault(number, name) if name else names[kind].get(number, text)

    where = current = None
    is_call = False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            key, found, value = line.rstrip("\n").partition("=")
            if found and key in ("ob", "cob"):
                named = name_of("ob", value)
                where = named if key == "ob" else where
            elif found and key in ("fn", "cfn"):
                named = name_of("fn", value)
                if key == "fn":
                    current = functions[(os.path.basename(where or ""), named)]
            elif found and key == "calls":
                is_call = True
            elif current is not None and re.match(r"[+\-*\d]", line):
                cost = int(line.split()[1])
                current.inclusive += cost
                current.own += 0 if is_call else cost
                is_call = False
    return functions


def short_name(name):
    name = re.sub(r"\(anonymous namespace\)::|\[clone [^\]]*\]|'\d+$|fetchline::", "", name)
    name = re.sub(r"std::__cxx11::basic_string<char.*?allocator<char> *>", "string", name)
    while (shorter := re.sub(r"<[^<>]*>|\([^()]*\)( const)?", "", name)) != name:
        name = shorter
    return name.strip()


def thread_of(profile):
    for marker, thread in THREADS.items():
        if any(name.startswith(marker) for _, name in profile):
            return thread
    return "main"


def read_run(folder):
    """{thread: {(object, function): Function}}; threads of the same kind are joined."""
    run = collections.defaultdict(lambda: collections.defaultdict(Function))
    for path in sorted(glob.glob(os.path.join(folder, "callgrind.out*"))):
        profile = read_profile(path)
        for key, function in profile.items():
            joined = run[thread_of(profile)][key]
            joined.own += function.own
            joined.inclusive += function.inclusive
    return run


def difference(short, long, urls):
    """Instructions a URL by thread and function."""
    result = {}
    for thread, functions in long.items():
        before = short.get(thread, {})
        result[thread] = {}
        for key, function in functions.items():
            less = before.get(key, Function())
            result[thread][key] = ((function.own - less.own) / urls,
                                   (function.inclusive - less.inclusive) / urls)
    return result


def group_of(key):
    where, name = key
    for group, pattern in GROUPS:
        if pattern.search(name):
            return group
    if where.startswith("fetchline"):
        return "ours"
    match = re.match(r"lib(curl|zmq|protobuf|crypto|stdc\+\+|c|ssl|z)\b", where)
    return "lib" + match.group(1) if match else "other"


def groups_table(costs, threads):
    sums = collections.defaultdict(lambda: collections.Counter())
    for thread in threads:
        for key, (own, _) in costs[thread].items():
            sums[group_of(key)][thread] += own
    rows = sorted(sums.items(), key=lambda row: -row[1].total())
    lines = ["| own instructions of | " + " | ".join(threads) + " | all |",
             "|---|" + "--:|" * (len(threads) + 1)]
    for group, by_thread in rows:
        cells = [f"{by_thread[thread]:,.0f}" for thread in threads]
        lines.append(f"| {group} | " + " | ".join(cells) + f" | {by_thread.total():,.0f} |")
    return lines


def functions_table(costs, threads):
    rows = [(own, inclusive, thread, key[1])
            for thread in threads for key, (own, inclusive) in costs[thread].items()
            if "fetchline::" in key[1]]
    rows.sort(reverse=True)
    lines = ["| function of ours | thread | own | with what it calls |", "|---|---|--:|--:|"]
    return lines + [f"| `{short_name(name)}` | {thread} | {own:,.0f} | {inclusive:,.0f} |"
                    for own, inclusive, thread, name in rows[:TOP]]


def history_of(path, threads):
    """The rows written so far, under a head with these threads."""
    head = [HISTORY + " " + " | ".join(threads) + " |", "|---|---|--:|" + "--:|" * len(threads)]
    if not os.path.exists(path):
        return head
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith(HISTORY)), None)
    if start is None:
        return head
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return head + lines[start + 2:end]


def main():
    if len(sys.argv) != 6:
        print(__doc__, file=sys.stderr)
        return 2
    short, long, urls, commit, path = sys.argv[1:]
    costs = difference(read_run(short), read_run(long), int(urls))
    threads = ["fetcher", "relay", "producer", "collector"]
    totals = [sum(own for own, _ in costs[thread].values()) for thread in threads]
    row = [commit, datetime.date.today().isoformat()]
    row += [f"{number:,.0f}" for number in [sum(totals)] + totals]
    lines = ["# Instructions a URL", "",
             "One process, `-j 64 --threads 1`, 1 kB bodies, counted by callgrind; starting and ending",
             "are subtracted. How turns fall differs from run to run: a thread's figure varied by up to",
             "10 %. valgrind has no SHA instructions, so libcrypto costs the collector far less in",
             "earnest. `hot-path.sh` adds a line.", ""]
    lines += history_of(path, threads) + ["| " + " | ".join(row) + " |"]
    lines += ["", f"## At {row[0]}", ""] + groups_table(costs, threads)
    lines += [""] + functions_table(costs, threads)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{path}: {sum(totals):,.0f} instructions a URL")
    return 0


if __name__ == "__main__":
    sys.exit(main())
