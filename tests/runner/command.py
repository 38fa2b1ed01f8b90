# SPDX-License-Identifier: BSD-2-Clause
"""Tests that are commands of the build machine: exit code 0 passes, 77 skips (the last line is the reason).

The command runs by bash from the top of the tree, without input and without make's variables of the calling make, in
a process group of its own that is killed at the time limit. Its output is the log.
"""
import os
import signal
import subprocess

from runner import outcome

SKIP_CODE = 77
MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMOUT", "MAKE_TERMERR")


def _last_line(path):
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1][:200] if lines else "no output"


def run(test, root, log):
    env = {key: value for key, value in os.environ.items() if key not in MAKE_VARIABLES}
    wrapper = ["setpriv", "--pdeathsig", "KILL", "--"] if os.path.exists("/usr/bin/setpriv") else []
    with open(log, "wb") as out:
        process = subprocess.Popen(wrapper + ["bash", "-c", test["command"]], cwd=root, env=env, stdout=out,  # pylint: disable=consider-using-with
                                   stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(test.timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # also what the command left behind
            except ProcessLookupError:
                pass
            process.wait()
    if code == 0:
        return outcome.passed()
    if code == SKIP_CODE:
        return outcome.skipped(_last_line(log))
    if code is None:
        return outcome.failed(f"no end within {test.timeout:g} s")
    return outcome.failed(f"exit code {code}: {_last_line(log)}")
