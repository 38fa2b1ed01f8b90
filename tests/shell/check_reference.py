#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The references of mgmt/README.md say what the program does: keys of the configuration and commands of the shell.

    tests/shell/check_reference.py            compare; one line for each difference
    tests/shell/check_reference.py --write    write the table of commands anew from mgmt/shell/commands.c

Keys come from the parser itself (build/mgmt/check --keys): each has one row in the table of its section and no other has one,
and where a key takes words of a list, the row names each of them. Commands have rows with their usage and their line of help.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = os.path.join(ROOT, "mgmt", "README.md")
COMMANDS = os.path.join(ROOT, "mgmt", "shell", "commands.c")
HEADING = "| command | what it does |"
RULE = "\n|---|---|\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def table(text, heading):
    """{first cell without its backticks: rest of the row} of the first table behind `heading`."""
    behind = text.split(heading, 1)
    if len(behind) != 2 or "\n|---" not in behind[1]:
        return {}
    rows = {}
    for line in behind[1].split("\n|---", 1)[1].split("\n\n", 1)[0].splitlines()[1:]:
        cells = line.strip("|").split(" | ", 1)
        rows[cells[0].strip().strip("`").replace("\\|", "|")] = cells[1].strip(" |") if len(cells) > 1 else ""
    return rows


def check_keys(text):
    subprocess.run(["make", "-s", "--no-print-directory", "build/mgmt/check"], cwd=ROOT, check=True)
    said = subprocess.run(["build/mgmt/check", "--keys"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    wrong = []
    for section, heading in (("-", "Before the first section:"), ("domain", "In a section:")):
        rows = table(text, heading)
        keys = {key: remedy for where, key, remedy in (line.split("\t") for line in said.splitlines()) if where == section}
        wrong += [f"{key}: a key of the parser, but not in the table behind \"{heading}\"" for key in keys if key not in rows]
        wrong += [f"{key}: in the table behind \"{heading}\", but the parser has no such key" for key in rows if key not in keys]
        for key, remedy in keys.items():
            words = remedy.removeprefix("write one of: ").split(", ") if remedy.startswith("write one of: ") else []
            wrong += [f"{key}: its row does not name `{word}`" for word in words if f"`{word}`" not in rows.get(key, f"`{word}`")]
    return wrong if "domain\tkernel" in said else ["build/mgmt/check --keys lists no keys"]


def commands():
    """[(name and usage, line of help)] in the order of `help`."""
    body = read(COMMANDS).split("static const struct command commands[] = {", 1)[1].split("\n};", 1)[0]
    string = r'("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)'
    found = re.findall(r"\{" + string + r",\s*\w+,\s*\d+,\s*\d+,\s*" + string + r",\s*" + string + r"\}", body)
    plain = [["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)).replace('\\"', '"') for part in row] for row in found]
    return [(f"{name} {usage}".strip(), about) for name, usage, about in plain], body.count("run_") + body.count("commands_")


def check_commands(text):
    known, entries = commands()
    wrong = [] if len(known) == entries and known else [f"{entries} commands in commands.c, of which {len(known)} were understood"]
    rows = table(text, HEADING)
    wrong += [f"{usage}: a command of the shell, but not in the table" for usage, _ in known if usage not in rows]
    wrong += [f"{usage}: in the table, but not a command of the shell" for usage in rows if usage not in dict(known)]
    return wrong + [f"{usage}: help says \"{about}\", the table \"{rows[usage]}\"" for usage, about in known
                    if usage in rows and rows[usage] != about]


def write(text):
    rows = "".join("| `" + usage.replace("|", "\\|") + f"` | {about} |\n" for usage, about in commands()[0])
    before, behind = text.split(HEADING + RULE, 1)
    with open(README, "w", encoding="utf-8") as file:
        file.write(before + HEADING + RULE + rows + "\n" + behind.split("\n\n", 1)[1])


def main():
    text = read(README)
    if sys.argv[1:] == ["--write"]:
        write(text)
        return 0
    wrong = check_keys(text) + check_commands(text)
    print("\n".join(f"mgmt/README.md: {line}" for line in wrong) or "mgmt/README.md: keys and commands as in the program")
    if any("command" in line or "help" in line for line in wrong):
        print("tests/shell/check_reference.py --write writes the table of commands")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
