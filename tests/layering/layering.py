#!/usr/bin/env python3
"""Who may include whom, and what may stand where: the rules of the rooms, checked by reading.

    layering.py ROOT         prints file:line: rule for each break; exit code 1 when there is one
    layering.py --self-test  plants a break of every rule in a scratch tree and looks for it
"""

import os
import re
import sys
import tempfile

ROLES = ("producer", "worker", "collector")
ROOMS = ROLES + ("proto", "tests", "deploy")
TOP_LEVEL = ROOMS + ("CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE")
NOT_OURS = re.compile(r"(build|build-.*|compile_commands\.json|\..*)$")  # built, or a dotfile
MOST_LINES = 400

INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
SOCKET_OPTION = re.compile(r"\bsockopt::|\bzmq_setsockopt\b")
EXIT = re.compile(r"(?<![\w.>])(?:std::|::)?(?:_exit|_Exit|exit|quick_exit)\s*\(")


def is_flags(path):
    return re.search(r"_flags\.(h|cc)$", path) is not None


def is_view(path):
    return re.search(r"_view\.(h|cc)$", path) is not None


def is_main(path):
    return os.path.basename(path) == "main.cc"


def include_break(path, target):
    """The rule that `path` breaks by including `target`, or None."""
    room, to = path.split("/")[0], target.split("/")[0]
    if room == "tests":
        return None
    if to == "tests":
        return "only tests include tests/"
    if room in ROLES:
        if to in ROLES and to != room:
            return f"{room}/ does not include another role ({target})"
        if to == "deploy" and not target.startswith("deploy/process/"):
            return f"{room}/ includes nothing of deploy/ but deploy/process/ ({target})"
        if to == "deploy" and not (is_main(path) or is_flags(path) or is_view(path)):
            return f"in {room}/ only main.cc, *_flags.* and *_view.* include deploy/process/ ({target})"
    if room == "proto" and (to in ROLES or to == "deploy"):
        return f"proto/ includes neither a role nor deploy/ ({target})"
    if path.startswith("deploy/process/"):
        if to in ROLES or to == "proto":
            return f"deploy/process/ includes neither proto/ nor a role ({target})"
        if to == "deploy" and not target.startswith("deploy/process/"):
            return f"deploy/process/ includes nothing else of deploy/ ({target})"
    if to == "curl" and room != "worker":
        return "libcurl belongs to worker/"
    if to == "CLI" and room != "deploy" and not is_flags(path):
        return "CLI11 belongs to deploy/ and *_flags.*"
    if os.path.basename(target) == "wire.pb.h" and not re.match(r"proto/codec\w*\.cc$", path):
        return "generated messages belong to proto/codec*.cc"
    return None


def line_breaks(path, line):
    match = INCLUDE.match(line)
    if match:
        rule = include_break(path, match.group(1))
        return [rule] if rule else []
    if path.startswith("tests/"):
        return []
    code = STRING.sub('""', line).split("//")[0]
    rules = []
    if SOCKET_OPTION.search(code) and path != "proto/sockets.cc":
        rules.append("socket options belong to proto/sockets.cc")
    if EXIT.search(code) and not is_main(path):
        rules.append("only main.cc ends the process")
    return rules


def file_breaks(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    breaks = [(path, number, rule)
              for number, line in enumerate(lines, 1) for rule in line_breaks(path, line)]
    if len(lines) > MOST_LINES and not path.startswith("tests/"):
        breaks.append((path, MOST_LINES + 1, f"{len(lines)} lines; past {MOST_LINES} it has two jobs"))
    return breaks


def sources(root):
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in sorted(names):
                if name.endswith((".h", ".cc")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def breaks_in(root):
    breaks = [(entry, 1, "the top level is fixed: " + " ".join(TOP_LEVEL))
              for entry in sorted(os.listdir(root))
              if entry not in TOP_LEVEL and not NOT_OURS.match(entry)]
    for path in sources(root):
        breaks += file_breaks(root, path)
    return breaks


# Path, text, and a part of the rule it breaks; None where all is well.
PLANTED = [
    ("producer/a.cc", '#include "worker/a.h"\n', "another role"),
    ("worker/b.cc", '#include "deploy/process/log.h"\n', "only main.cc, *_flags.* and *_view.*"),
    ("worker/c.cc", '#include "deploy/local/c.h"\n', "but deploy/process/"),
    ("proto/d.cc", '#include "collector/d.h"\n', "proto/ includes neither"),
    ("proto/e.cc", '#include "deploy/process/log.h"\n', "proto/ includes neither"),
    ("deploy/process/f.cc", '#include "proto/f.h"\n', "deploy/process/ includes neither"),
    ("deploy/process/g.cc", '#include "deploy/local/g.h"\n', "nothing else of deploy/"),
    ("collector/h.cc", "# include <curl/curl.h>\n", "libcurl"),
    ("worker/i.cc", "s.set(zmq::sockopt::linger, 0);\n", "socket options"),
    ("worker/j.cc", "#include <CLI/CLI.hpp>\n", "CLI11"),
    ("worker/k.cc", "  if (x) std::exit(1);\n", "ends the process"),
    ("worker/l.cc", "  _exit(1);\n", "ends the process"),
    ("proto/m.cc", '#include "wire.pb.h"\n', "generated messages"),
    ("proto/n.cc", "int x;\n" * (MOST_LINES + 1), "two jobs"),
    ("worker/o.cc", '#include "tests/o.h"\n', "only tests"),
    ("util/p.cc", "", "top level"),
    ("worker/main.cc", '#include "deploy/process/log.h"\n  exit(1);\n', None),
    ("worker/worker_flags.cc", '#include <CLI/CLI.hpp>\n#include "deploy/process/flags.h"\n', None),
    ("worker/q.cc", '#include <curl/curl.h>\n#include "proto/ids.h"\n#include "worker/q.h"\n', None),
    ("worker/r.cc", '// exit(1), sockopt::linger\nlog("exit(1)"); on_exit(1); relay.exit(1);\n', None),
    ("proto/codec_decode.cc", '#include "wire.pb.h"\n', None),
    ("proto/sockets.cc", "s.set(zmq::sockopt::linger, 0);\n", None),
    ("deploy/local/main.cc", '#include "proto/ids.h"\n#include "worker/q.h"\n', None),
    ("tests/worker/s.cc", '#include <curl/curl.h>\n#include "producer/a.h"\n_exit(0);\n', None),
    (".github/t.cc", "", None),
    ("build/u.cc", "", None),
]


def self_test():
    failures = []
    for path, text, rule in PLANTED:
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.dirname(os.path.join(root, path)))
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
            found = [found_rule for _, _, found_rule in breaks_in(root)]
        if not (found == [] if rule is None else len(found) == 1 and rule in found[0]):
            failures.append(f"{path}: expected {rule}, found {found}")
    print("\n".join(failures) or f"{len(PLANTED)} planted files judged rightly")
    return 1 if failures else 0


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "--self-test":
        return self_test()
    breaks = breaks_in(sys.argv[1])
    for path, number, rule in breaks:
        print(f"{path}:{number}: {rule}")
    return 1 if breaks else 0


if __name__ == "__main__":
    sys.exit(main())
