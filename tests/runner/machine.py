# SPDX-License-Identifier: BSD-2-Clause
"""Boot tests: one image on one emulated machine, judged by its serial log and by how the machine ended.

Expectations are regular expressions found in this order, each in a line after the line of the one before; forbidden
ones match nowhere. `emulator_log` holds expectations of the same kind for what the emulator says. `end` is one of
    shutdown    the guest ended Bochs by port 0x8900
    exit N      the guest wrote N to QEMU's debug-exit port
    reset       the guest reset the machine (QEMU runs with -no-reboot)
    halt        nothing more comes: QEMU: every CPU is in HLT with interrupts off; Bochs: silence until the time limit
    seen        the test stops the machine at the last expectation
    quit        the hook stops the machine (QEMU)
A hook is a function of runner/hooks.py that talks to QEMU's monitor or debugger while the guest runs.
"""
import os
import re
import shutil
import sys
import tempfile
import threading

from runner import hooks, images, outcome, qmp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import emu  # pylint: disable=wrong-import-position
import emu_qemu  # pylint: disable=wrong-import-position

REGISTER_DUMP = re.compile(r"^(XMM|FPR|[A-Z]{2,4} ?=|FCW|EFER)")  # QEMU logs these at every reset of a CPU


def _needs(test):
    """Reason why this machine cannot run the test, or None."""
    if test["accel"] == "kvm" and not emu_qemu.kvm_has_vmx():
        return "this host has no KVM with nested VMX"
    return None


def _spec(test, image, folder, build):
    spec = emu.RunSpec(image=image, machine=test["machine"], cpus=int(test["cpus"]), memory=int(test["memory"]),
                       timeout=test.timeout, append=test["append"], modules=test.lines("modules"),
                       serial=os.path.join(folder, "serial"), log=os.path.join(folder, "emulator.log"), nic="none")
    if test["cpu_model"]:
        spec.cpu_model = test["cpu_model"]
    if test["start"] in ("multiboot", "multiboot2"):
        spec.protocol, spec.iso = test["start"], True
    spec.variant = test["variant"]
    spec.uefi = test["firmware"] == "uefi"
    spec.tcg = test["accel"] == "tcg"
    spec.qemu_cpu = test["qemu_cpu"]
    spec.qemu_args = test["qemu_args"].split()
    spec.bochs_options = test.lines("bochs_options")
    spec.verbose = bool(test["emulator_log"])
    if test["machine"] == "bochs" and test["firmware"]:
        spec.bochs_options.append(f"romimage: file={images.bios(test['firmware'], folder)}, options=fastboot")
    if test["end"] == "seen":
        spec.expect, spec.expect_in_order = test.lines("expect"), True
    if test["image"] == "loader":
        spec.modules = [images.path("signalbox", build)] + spec.modules
    return spec


def check_text(text, expect, forbid):
    """None, or what is wrong with the serial log."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    at = 0
    for pattern in expect:
        hit = next((i for i in range(at, len(lines)) if re.search(pattern, lines[i])), None)
        if hit is None:
            earlier = any(re.search(pattern, line) for line in lines)
            return f"{'out of order' if earlier else 'never printed'}: {pattern}"
        at = hit + 1
    for pattern in forbid:
        for line in lines:
            if re.search(pattern, line):
                return f"forbidden: {line.strip()[:160]}"
    return None


def check_end(end, machine, result):
    """None, or how the machine ended instead of as it should."""
    word, _, value = end.partition(" ")
    if word == "halt" and machine == "bochs":
        good = result.code == emu.TIMEOUT
    elif word == "seen":
        good = result.code == emu.PASS
    elif word in ("reset", "quit", "halt"):
        good = result.code == emu.PASS and result.exit_code == 0
    elif word == "exit":
        good = result.exit_code == 2 * int(value, 0) + 1
    else:
        good = word == "shutdown" and result.code == emu.PASS
    if good:
        return None
    return f"the machine should have ended by {end}; {result.status}: {result.detail} (exit code {result.exit_code})"


def _emulator_log(folder):
    path = os.path.join(folder, "emulator.log")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(line for line in file if not REGISTER_DUMP.match(line))


def _write_log(log, test, spec, result, folder, trouble):
    with open(log, "w", encoding="utf-8", errors="replace") as out:
        out.write(f"test      {test.name}\nimage     {spec.image}\nmachine   {spec.machine} {spec.cpu_model}, {spec.cpus} CPUs, "
                  f"{spec.memory} MiB\ncmdline   {spec.append}\nmodules   {spec.modules}\n")
        if result:
            out.write(f"emulator  {result.status}: {result.detail} (exit code {result.exit_code}, {result.seconds:.1f} s, "
                      f"{result.ticks} ticks)\n")
        out.write(f"verdict   {trouble or 'passed'}\n\n---- serial port\n{result.serial_text if result else ''}")
        out.write("\n---- emulator, last lines\n" + "\n".join(_emulator_log(folder).splitlines()[-60:]) + "\n")


def _run_with_hook(hook, spec, folder, test, build):
    """The hook runs beside the emulator; its verdict is the second value, None when it is content."""
    scene = hooks.Scene(folder, spec, images.path(test["image"], build), test.lines("expect"))
    spec.qemu_args = spec.qemu_args + scene.qemu_args(hook)
    thread = threading.Thread(target=scene.play, args=(hook,), daemon=True)
    thread.start()
    result = emu.run(spec)
    scene.ended.set()
    thread.join(20)
    return result, scene.trouble


def run(test, build, log):
    reason = _needs(test)
    if reason:
        return outcome.skipped(reason)
    folder = tempfile.mkdtemp(prefix="sbx-test-")
    spec = result = None
    try:
        image = images.make(test["image"], build, folder)
        spec = _spec(test, image, folder, build)
        hook = test["hook"] or ("halted" if test["end"] == "halt" and test["machine"] == "qemu" else "")
        if hook:
            result, trouble = _run_with_hook(hook, spec, folder, test, build)
        else:
            result, trouble = emu.run(spec), None
        text = result.serial_text
        if test["silent"] == "yes" and text.strip():
            trouble = f"the serial port should be silent: {text.strip()[:100]}"
        trouble = trouble or check_text(text, test.lines("expect"), test.lines("forbid"))
        trouble = trouble or check_text(_emulator_log(folder), test.lines("emulator_log"), [])
        trouble = trouble or check_end(test["end"], test["machine"], result)
        _write_log(log, test, spec, result, folder, trouble)
        verdict = outcome.failed(trouble) if trouble else outcome.passed()
        verdict.ticks = result.ticks
        return verdict
    except (emu.EmuError, images.ImageError, qmp.QmpError, OSError) as error:
        if spec:
            _write_log(log, test, spec, result, folder, str(error))
        return outcome.failed(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
