#!/usr/bin/env python3
"""Runs `compliance check` on one file and prints what it cost: `bench.py PROGRAM FILE`.

Memory is read from /proc every fifth of a second: the program itself and its children (ffmpeg,
tesseract) apart. Temporary disk is the size of a TEMP_DIR of its own; storage, where the upload
and the frames go, is not counted in it. Linux only.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20


def duration(path):
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return float(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)


def children(pid):
    """All descendants, by the kernel's own lists."""
    found = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, listed.read_text().split()):
                found += [child, *children(child)]
        except OSError:
            pass
    return found


def resident(pid, field="VmRSS:"):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def size(folder):
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                pass
    return total


def main(program, file):
    with tempfile.TemporaryDirectory() as scratch:
        temporary, report = Path(scratch, "tmp"), Path(scratch, "report.json")
        temporary.mkdir()
        environment = {**os.environ, "TEMP_DIR": str(temporary), "DATA_DIR": str(Path(scratch, "data"))}
        command = [program, "check", file, "--out", str(Path(scratch, "out")), "--json", str(report)]
        began = time.monotonic()
        run = subprocess.Popen(command, env=environment)
        own = below = disk = 0
        while run.poll() is None:
            own = max(own, resident(run.pid, "VmHWM:"))
            below = max(below, sum(map(resident, children(run.pid))))
            disk = max(disk, size(temporary))
            time.sleep(0.2)
        seconds, length = time.monotonic() - began, duration(file)
        if run.returncode not in (0, 1):
            sys.exit(f"bench: {' '.join(command)} ended with {run.returncode}")
        found = json.loads(report.read_text())
    print(f"{Path(file).name}: {length:.0f} s of video checked in {seconds:.0f} s, {length / seconds:.2f} × its own speed")
    print(f"  memory: program {own / MIB:.0f} MiB, its children {below / MIB:.0f} MiB at the same moment")
    print(f"  temporary disk: {disk / MIB:.1f} MiB")
    print(f"  risks: {found['total_triggers']}, predictions: {found['run']['predictions']}, cached: {found['run']['cached']}")
    for task in found["coverage"]:
        print(f"  {task['task']:9} {task['frames']:6} frames, {task['seconds']:7.0f} s covered, {task['undecided']} undecided")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
