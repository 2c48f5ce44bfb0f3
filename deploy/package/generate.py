#!/usr/bin/env python3
"""Manual pages and completions for bash, zsh and fish, from what a program's --help says.

    generate.py PROGRAM DIRECTORY EXIT_CODE_H    writes DIRECTORY/man/…, bash/…, zsh/…, fish/…

There is no second list of flags anywhere that could go stale. Exit codes come from their header.
"""
import gzip
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

TEXT_COLUMN = 32  # deploy/process/help.cc


@dataclass
class Flag:
    short: str  # "-i", or ""
    longs: list  # "--location", "--no-location"
    kind: str  # "FILE", or "" for a switch
    text: str

    @property
    def words(self):
        """The values to choose from, if it is one of a few."""
        if self.kind not in ("WORD", "RULE"):
            return []
        listed = re.search(r": ([\w%-]+(?:\|[\w%-]+)+)", self.text)
        return [word for word in listed[1].split("|") if word.islower()] if listed else []

    @property
    def is_file(self):
        return self.kind.startswith("FILE")


@dataclass
class Help:
    usage: str = ""
    purpose: str = ""
    groups: dict = field(default_factory=dict)
    examples: list = field(default_factory=list)

    @property
    def flags(self):
        return [flag for flags in self.groups.values() for flag in flags]


def parse_flag(line):
    fits = len(line) <= TEXT_COLUMN or line[TEXT_COLUMN - 2 : TEXT_COLUMN] == "  "
    head, text = (line[:TEXT_COLUMN], line[TEXT_COLUMN:]) if fits else (line, "")
    match = re.fullmatch(r"\s+(?:(-\w)(?:, )?)?((?:/?--[\w.-]+)*)(?: (\S.*))?", head.rstrip())
    if not match:
        raise ValueError(f"not a line of --help: {line!r}")
    longs = [name for name in match[2].split("/") if name]
    return Flag(match[1] or "", longs, match[3] or "", text.strip())


def parse_help(text):
    parsed, group = Help(), None
    lines = text.splitlines()
    parsed.usage, parsed.purpose = lines[0].removeprefix("Usage: "), lines[1]
    for line in lines[2:]:
        if not line:
            continue
        if not line.startswith(" "):
            group = line.rstrip(":")
        elif group == "Examples":
            parsed.examples.append(line.strip())
        elif line.startswith(" " * TEXT_COLUMN):
            flag = parsed.groups[group][-1]
            flag.text = f"{flag.text} {line.strip()}".strip()
        else:
            parsed.groups.setdefault(group, []).append(parse_flag(line))
    return parsed


def exit_codes(path):
    with open(path, encoding="utf-8") as header:
        return re.findall(r"^\s+\w+ = (\d+),\s*// (.*)$", header.read(), re.MULTILINE)


# ---- man

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith((".", "'")) else text


def man_flag(flag):
    names = [name for name in [flag.short, *flag.longs] if name]
    value = f" \\fI{roff(flag.kind)}\\fR" if flag.kind else ""
    return [".TP", ", ".join(f"\\fB{roff(name)}\\fR" for name in names) + value, roff(flag.text)]


def man_page(name, version, parsed, codes):
    lines = [f'.TH {name.upper()} 1 "" "fetchline {version}" "User Commands"',
             ".SH NAME", f"{roff(name)} \\- {roff(parsed.purpose.rstrip('.').lower())}",
             ".SH SYNOPSIS", f".B {roff(name)}", roff(parsed.usage.removeprefix(name).strip()),
             ".SH DESCRIPTION", roff(parsed.purpose), ".SH OPTIONS"]
    for group, flags in parsed.groups.items():
        lines += [f".SS {roff(group)}"]
        for flag in flags:
            lines += man_flag(flag)
    lines += [".PP", "Sizes take K, M, G; times are seconds and take ms, s, m, h.",
              ".SH ENVIRONMENT", ".TP", "\\fBFETCHLINE_\\fIFLAG\\fR",
              roff("The value of a long flag, in capitals and with _ for -. A flag beats the "
                   "environment, the environment beats the file of --config."),
              ".SH EXIT STATUS"]
    for number, meaning in codes:
        lines += [".TP", f"\\fB{number}\\fR", roff(meaning)]
    lines += [".SH EXAMPLES", ".nf"] + [roff(example) for example in parsed.examples] + [".fi"]
    others = ["fetchline", "fetchline-producer", "fetchline-worker", "fetchline-collector"]
    see = [f".BR {roff(other)} (1)" for other in others if other != name]
    return "\n".join(lines + [".SH SEE ALSO", " ,\n".join(see)]) + "\n"


# ---- completions

def bash_completion(name, parsed):
    function = "_" + name.replace("-", "_")
    cases = ""
    for flag in parsed.flags:
        names = "|".join(name for name in [flag.short, *flag.longs] if name)
        if flag.words:
            cases += f'    {names}) COMPREPLY=($(compgen -W "{" ".join(flag.words)}" -- "$cur")); return ;;\n'
        elif flag.is_file:
            cases += f'    {names}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;\n'
        elif flag.kind:
            cases += f"    {names}) return ;;\n"
    longs = " ".join(name for flag in parsed.flags for name in flag.longs)
    return f"""# bash completion for {name}; made from its --help.
{function}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  # --flag=value comes as three words.
  [[ $cur == = ]] && cur=
  [[ $prev == = ]] && prev=${{COMP_WORDS[COMP_CWORD-2]}}
  COMPREPLY=()
  case $prev in
{cases}  esac
  COMPREPLY=($(compgen -W "{longs}" -- "$cur"))
}}
complete -F {function} {name}
"""


def zsh_completion(name, parsed):
    def quoted(text):
        return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")

    lines = [f"#compdef {name}", "# made from its --help", "_arguments -s -S \\"]
    for flag in parsed.flags:
        action = ""
        if flag.kind:
            choice = f"({' '.join(flag.words)})" if flag.words else "_files" if flag.is_file else ""
            action = f":{quoted(flag.kind)}:{choice}"
        for spelling in filter(None, [flag.short, *flag.longs]):
            equals = ("=" if spelling.startswith("--") else "+") if flag.kind else ""
            lines.append(f"  '*{spelling}{equals}[{quoted(flag.text)}]{action}' \\")
    tail = "'*:URL:'" if "[URL...]" in parsed.usage else "&& return 0"
    return "\n".join(lines) + f"\n  {tail}\n"


def fish_completion(name, parsed):
    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = [f"# fish completion for {name}; made from its --help.", f"complete -c {name} -f"]
    for flag in parsed.flags:
        for position, long in enumerate(flag.longs):
            line = f"complete -c {name} -l {long.removeprefix('--')}"
            if flag.short and position == 0:
                line += f" -s {flag.short.removeprefix('-')}"
            if flag.kind:
                line += " -r"
            if flag.is_file:
                line += " -F"
            if flag.words:
                line += f" -a {quoted(' '.join(flag.words))}"
            lines.append(f"{line} -d {quoted(flag.text)}")
    return "\n".join(lines) + "\n"


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def main():
    program, directory, header = sys.argv[1:]
    name = os.path.basename(program)
    said = [subprocess.run([program, flag], check=True, capture_output=True, text=True).stdout
            for flag in ("--help", "--version")]
    parsed, version = parse_help(said[0]), said[1].split()[1]
    page = man_page(name, version, parsed, exit_codes(header)).encode()
    # No time and no name in it: the same input gives the same package.
    write(f"{directory}/man/{name}.1.gz", gzip.compress(page, 9, mtime=0))
    write(f"{directory}/bash/{name}", bash_completion(name, parsed).encode())
    write(f"{directory}/zsh/_{name}", zsh_completion(name, parsed).encode())
    write(f"{directory}/fish/{name}.fish", fish_completion(name, parsed).encode())


if __name__ == "__main__":
    main()
