#!/usr/bin/env python3
"""Runs `compliance check` on one file and prints what each stage cost: `bench.py FOLDER FILE`.

FOLDER holds the programs `compliance` and `inference`. The models run in a process of their own, so
that the worker's memory is the worker's: it is read from /proc every fifth of a second, without the
children (ffmpeg). Temporary disk is the size of the TEMP_DIR that all of them use; storage, where
the upload and the frames go, is not counted in it. Linux only.
"""

import base64

import contextlib
import json
import os
import socket
import sqlite3
import statistics
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



@contextlib.contextmanager
def inference(folder, scratch, temporary):
    """The models, as a service of their own; yields its process, the settings that lead to it and the port that it expects."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        # The doors of the check, its storage, the models.
        doors = free.getsockname()[1] - 3
    port = doors + 2
    settings = {
        **os.environ,
        "TEMP_DIR": str(temporary),
        "REPLICATE_API_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "REPLICATE_API_TOKEN": "r8_" + "b" * 37,
        "REPLICATE_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"b" * 32).decode(),
        "LOG_LEVEL": "warn",
    }
    own = {
        **settings,
        "DATA_DIR": str(Path(scratch, "models")),
        "INFERENCE_ADDR": f"127.0.0.1:{port}",
        "PUBLIC_URL": f"http://127.0.0.1:{doors}",
        "BACKBLAZE_ENDPOINT_URL": f"http://127.0.0.1:{doors + 1}",
    }
    served = subprocess.Popen([str(Path(folder, "inference"))], env=own)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if served.poll() is not None:
                sys.exit("bench: the models do not start")
            time.sleep(0.2)
        yield served, settings, doors
    finally:
        served.terminate()
        served.wait()


def rows(database, query):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as record:
        return record.execute(query).fetchall()


def stages(data, wall_began, wall_ended):
    """Seconds of each stage, and (task, questions, model seconds, median) of each task."""
    database = next(path for path in Path(data).rglob("*") if path.is_file() and path.open("rb").read(15) == b"SQLite format 3")
    begun, = rows(database, "select min(started_at) from executions")[0]
    asked, answered = rows(database, "select min(created_at), max(closed_at) from predictions")[0]
    reported, = rows(database, "select max(created_at) from reports")[0]
    scale = 1e6 if begun > 1e14 else 1e3
    begun, asked, answered, reported = (moment / scale for moment in (begun, asked, answered, reported))
    seconds = {
        "upload": begun - wall_began,
        "extraction": asked - begun,
        "analysis": answered - asked,
        "report": reported - answered,
        "mail, files": wall_ended - reported,
    }
    tasks = {}
    for task, spent in rows(database, "select task, predict_seconds from predictions where predict_seconds is not null"):
        tasks.setdefault(task, []).append(spent)
    return seconds, [(task, len(spent), sum(spent), statistics.median(spent)) for task, spent in sorted(tasks.items())]


def decoding(file, times):
    """Median seconds of one decode pass that does nothing else."""
    passes = []
    for _ in range(times):
        began = time.monotonic()
        subprocess.run(["ffmpeg", "-v", "error", "-i", file, "-an", "-vf", "fps=1", "-f", "null", "-"], check=True)
        passes.append(time.monotonic() - began)
    return statistics.median(passes)


def watch(run, models, temporary):
    """Peaks in bytes until the run ends: worker, its children, the models, temporary disk."""
    own = below = service = disk = 0
    while run.poll() is None:
        own = max(own, resident(run.pid, "VmHWM:"))
        below = max(below, sum(map(resident, children(run.pid))))
        service = max(service, resident(models.pid, "VmHWM:"))
        disk = max(disk, size(temporary))
        time.sleep(0.2)
    return own, below, service, disk


def main(folder, file):
    length = duration(file)
    with tempfile.TemporaryDirectory() as scratch:
        temporary, report, data = Path(scratch, "tmp"), Path(scratch, "report.json"), Path(scratch, "data")
        temporary.mkdir()
        with inference(folder, scratch, temporary) as (models, settings, doors):
            command = [str(Path(folder, "compliance")), "check", file, "--out", str(Path(scratch, "out")), "--json", str(report), "--port", str(doors)]
            began = time.time()
            run = subprocess.Popen(command, env={**settings, "DATA_DIR": str(data)}, stdout=subprocess.DEVNULL)
            own, below, service, disk = watch(run, models, temporary)
            ended = time.time()
        if not report.exists():
            sys.exit(f"bench: {' '.join(command)} ended with {run.returncode}")
        found = json.loads(report.read_text())
        seconds, tasks = stages(data, began, ended)
    print(f"{Path(file).name}: {length:.0f} s of video checked in {ended - began:.0f} s, {length / (ended - began):.2f} × its own speed")
    for stage, spent in seconds.items():
        print(f"  {stage:12} {spent:8.1f} s  {60 * spent / length:7.2f} s a minute of video")
    for task, questions, spent, median in tasks:
        print(f"  {task:12} {spent:8.1f} s on the model, {questions} questions, median {median:.3f} s, {60 * spent / length:.2f} s a minute of video")
    print(f"  memory: worker {own / MIB:.0f} MiB, its ffmpeg {below / MIB:.0f} MiB, the models' process {service / MIB:.0f} MiB")
    print(f"  temporary disk: {disk / MIB:.1f} MiB")
    once, kinds = decoding(file, 3 if length < 1200 else 1), max(1, len(tasks))
    print(f"  decoding once for each of {kinds} tasks would take {kinds * once:.1f} s, {kinds * once / max(seconds['extraction'], 0.001):.2f} × of the one pass here")
    print(f"  risks: {found['total_triggers']}, predictions: {found['run']['predictions']}, cached: {found['run']['cached']}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
