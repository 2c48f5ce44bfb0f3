#!/usr/bin/env python3
"""Every flag, variable and key in what deploy/ ships is one that the program it is given to has.

    flags_test.py ROOT PROGRAM…      the programs as built; reads their --help, starts nothing else
    flags_test.py --self-test        plants mistakes and looks for them

A file that begins with "# needs: --flag" is for a flag that may not be there yet: until it is, the
file is not looked at, and nothing else may refer to it.
"""
import os
import re
import subprocess
import sys
import tempfile

NAME = re.compile(r"(?:^|[\s\[\"'/=])(fetchline(?:-producer|-worker|-collector)?)(?=$|[\s\],\"'])")
COMMAND = re.compile(r"^\s*(?:-\s+|command: *\[|args: *\[|exec |set -- |ExecStart=|CMD *\[|[^:]*\bexec )?\s*[\"']?"
                     r"(fetchline(?:-producer|-worker|-collector)?)(?=$|[\s\],\"'])")
FLAG = re.compile(r"(?:^|[\s\[,\"'])(--[a-z][\w.-]*)")
VARIABLE = re.compile(r"(?:^|[\s\"'{,-])FETCHLINE_([A-Z_]+)(?==|: |\b\"?\s*$)")
NEEDS = re.compile(r"^# needs: (--[\w-]+)$", re.MULTILINE)
EXAMINED = (".yaml", ".service", ".toml", ".md", "Dockerfile")
ROLES = {"producer.toml": "fetchline-producer", "worker.toml": "fetchline-worker",
         "collector.toml": "fetchline-collector"}
ONLY_COMPOSE = {"IMAGE"}  # read by the compose file itself


def flags_of(program):
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    listed = [line[:32] if line[30:32] == "  " else line for line in text.splitlines()
              if re.match(r" {2}(-\w|    --)", line)]
    return {flag for line in listed for flag in re.findall(r"--[\w.-]+", line)}


def code_of(path, text):
    """Lines with their numbers; of a page only the commands in it, without comments elsewhere."""
    lines = list(enumerate(text.splitlines(), 1))
    if path.endswith(".md"):
        inside, code = False, []
        for number, line in lines:
            if line.startswith("```"):
                inside = not inside
            elif inside or line.startswith("    "):
                code.append((number, line))
        lines = code
    return [(number, line.split(" #")[0]) for number, line in lines
            if not line.lstrip().startswith("#")]


def problems_in_toml(path, text, known):
    program = ROLES.get(os.path.basename(path))
    if program is None:
        yield f"{path}: nobody knows whose configuration this is"
        return
    for number, line in code_of(path, text):
        key = re.match(r"([\w-]+)\s*=", line)
        if key and f"--{key[1]}" not in known[program]:
            yield f"{path}:{number}: {program} has no --{key[1]}"


def problems_in(path, text, known):
    if path.endswith(".toml"):
        yield from problems_in_toml(path, text, known)
        return
    everything = set().union(*known.values())
    program = None
    page = path.endswith(".md")
    for number, line in code_of(path, text):
        named = COMMAND.match(line)
        if named:
            program = named[1]
        elif page and not line.rstrip().endswith("\\") and not line.startswith("      "):
            program = None  # another tool's command
        elif re.match(r"\s*command:", line) and "fetchline" not in line and not NAME.search(line):
            if re.search(r"\[.*\]", line):
                program = None
        for flag in FLAG.findall(line):
            if program and flag not in known[program]:
                yield f"{path}:{number}: {program} has no {flag}"
            elif not program and not page and path.endswith((".yaml", ".service")):
                yield f"{path}:{number}: {flag} is given to nobody knows whom"
        for name in VARIABLE.findall(line):
            flag = "--" + name.lower().replace("_", "-")
            if name not in ONLY_COMPOSE and flag not in everything:
                yield f"{path}:{number}: FETCHLINE_{name}: no program has {flag}"


def shipped(root):
    for folder, _, names in os.walk(os.path.join(root, "deploy")):
        for name in sorted(names):
            if name.endswith(EXAMINED):
                yield os.path.relpath(os.path.join(folder, name), root)


def check(root, known):
    everything = set().union(*known.values())
    found, examined, flags = [], 0, 0
    texts = {}
    for path in shipped(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            texts[path] = file.read()
    waiting = {path: NEEDS.search(text)[1] for path, text in texts.items()
               if NEEDS.search(text) and NEEDS.search(text)[1] not in everything}
    for path, text in texts.items():
        if path in waiting:
            continue
        examined += 1
        flags += len(FLAG.findall(text))
        found += problems_in(path, text, known)
        if path.endswith("kustomization.yaml"):
            for needed, flag in waiting.items():
                folder = os.path.relpath(os.path.dirname(needed), os.path.dirname(path))
                if re.search(rf"^\s*- {re.escape(folder)}/?\s*$", text, re.MULTILINE):
                    found.append(f"{path}: uses {needed}, which needs {flag}: not there yet")
    for path, flag in sorted(waiting.items()):
        print(f"not looked at until there is a {flag}: {path}")
    return found, examined, flags


def self_test():
    known = {"fetchline": {"--input"}, "fetchline-producer": {"--bind", "--input"},
             "fetchline-worker": {"--producer"}, "fetchline-collector": {"--output"}}
    planted = {
        "deploy/a.yaml": ("command: [fetchline-producer]\nargs:\n  - --bind=x\n  - --gone=y\n", 1),
        "deploy/b.yaml": ("command:\n  - fetchline-worker\n  - --bind=x\n", 1),
        "deploy/c.yaml": ("environment:\n  FETCHLINE_GONE: 1\n  FETCHLINE_INPUT: x\n", 1),
        "deploy/c2.yaml": ("literals:\n  - FETCHLINE_GONE=1\n", 1),
        "deploy/d.service": ("ExecStart=fetchline-collector --input x --output y\n", 1),
        "deploy/producer.toml": ("# about\nbind = 'x'\noutput = 'y'\n", 1),
        "deploy/e.md": ("Text --whatever\n\n    fetchline-worker --gone\n    podman run --rm x\n", 1),
        "deploy/f.yaml": ("args:\n  - |\n    exec fetchline-worker --gone \"$@\"\n", 1),
        "deploy/g/kustomization.yaml": ("# needs: --http\nkind: Component\nx: [--http]\n", 0),
        "deploy/h/kustomization.yaml": ("components:\n  - ../g\n", 1),
        "deploy/i.yaml": ("args: [--bind=x]\n", 1),
        "deploy/ok.yaml": ("# --unsaid\ncommand: [fetchline-producer, --bind, x] # --unsaid\n", 0),
    }
    with tempfile.TemporaryDirectory() as root:
        for path, (text, _) in planted.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found, _, _ = check(root, known)
    wrong = [f"{path}: {expected} expected, found {hits}" for path, (_, expected) in planted.items()
             if len(hits := [one for one in found if one.startswith(path)]) != expected]
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        found = self_test()
    else:
        root, *programs = sys.argv[1:]
        found, examined, flags = check(root, {os.path.basename(p): flags_of(p) for p in programs})
        print(f"{examined} files, {flags} flags in them")
        if not flags:
            found.append("no flag found at all: this test looks in the wrong place")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
