# SPDX-License-Identifier: BSD-2-Clause
"""What became of a test, and its log. A skip is an outcome of its own with a reason, never a pass."""
import os
import re
from dataclasses import dataclass

PASSED, FAILED, SKIPPED = "ok", "FAIL", "skip"


@dataclass
class Outcome:
    """One of PASSED, FAILED, SKIPPED; the reason is required for the last two."""
    kind: str
    reason: str = ""
    seconds: float = 0.0
    ticks: int = None  # Bochs: instructions per CPU from power-on to the end


def passed():
    return Outcome(PASSED)


def failed(reason):
    return Outcome(FAILED, reason)


def skipped(reason):
    return Outcome(SKIPPED, reason)


def log_path(build, name):
    return os.path.join(build, "test-logs", re.sub(r"[^A-Za-z0-9_.+-]", "_", name) + ".log")
