#!/usr/bin/env python3
"""Judges stored evidence again and prints how long that takes: `bench_rescore.py COMPLIANCE [VIDEOS]`.

An archive is written straight into a fresh database: VIDEOS short ones, and one of an hour with as much
evidence as an hour gives (two frames a second for each task that looks at frames, a sentence every four
seconds). `compliance rescore --all` then judges all of them by another pack than before. The hour is also
timed alone (medians of five); what the program needs to start is measured with a video that it does not know.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median

FRAMES = {
    "nudity": [("nsfw", 0.02), ("nsfw", 0.95)],
    "violence": [("violence", 0.1), ("violence", 0.9)],
    "objects": [("bottle", 0.6), ("cigarette", 0.9)],
    "text": [("text", 0.9)],
}
SENTENCE = "вот мы и пришли сюда снова чтобы посмотреть на город а потом выпьем водки и пойдём домой".split()


class Archive:
    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.now = int(time.time() * 1_000_000)
        self.user, self.project = self.fresh(), self.fresh()
        self.insert("users", user_id=self.user, email="bench@example.org", password_hash="x", role="CLIENT",
                    company_name="", balance_minutes=0, language="en", created_at=self.now,
                    updated_at=self.now)
        self.insert("projects", project_id=self.project, owner_id=self.user, name="bench", policy_id="general",
                    created_at=self.now)

    @staticmethod
    def fresh():
        return str(uuid.uuid4())

    def insert(self, table, **row):
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self.db.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))

    def video(self, seconds, every_ms):
        """A judged video with evidence on every task; answers its id."""
        video, run, report = self.fresh(), self.fresh(), self.fresh()
        tasks = ["speech", *FRAMES]
        models = [{"task": task, "provider": "local", "model": f"local/{task}", "version": "1" * 64, "limits": []}
                  for task in tasks]
        self.insert("videos", video_id=video, project_id=self.project, original_name=f"{seconds} s.mp4",
                    object_key=f"videos/raw/{self.project}/{video}.mp4", content_type="video/mp4", size_bytes=1,
                    upload_expires_at=self.now, step="verification", policy_id="general", created_at=self.now,
                    duration_ms=seconds * 1000, updated_at=self.now,
                    probe=json.dumps({"has_audio": True, "width": 1920, "height": 1080, "fps": [25, 1]}))
        self.insert("executions", execution_id=run, video_id=video, status="completed", models=json.dumps(models),
                    created_at=self.now, started_at=self.now, completed_at=self.now)
        for task in tasks:
            self.evidence(video, run, task, seconds * 1000, 4000 if task == "speech" else every_ms)
        self.insert("reports", report_id=report, video_id=video, execution_id=run, stage="ai", policy_id="general",
                    policy_version="0", verdict="pass", body="{}", json_key=f"videos/{video}/reports/{report}.json",
                    html_key=f"videos/{video}/reports/{report}.en.html", seal="0" * 64, created_at=self.now)
        return video

    def evidence(self, video, run, task, length_ms, every_ms):
        media = "audio" if task == "speech" else "frame"
        for number, start in enumerate(range(0, length_ms, every_ms)):
            end, prediction, key = start + every_ms, self.fresh(), f"videos/{video}/{task}/{start:09}.jpg"
            shown = f"{task}-{start}"
            self.insert("targets", execution_id=run, content_hash=shown, media=media, object_key=key,
                        spans=json.dumps([{"start_ms": start, "end_ms": end}]))
            self.insert("predictions", prediction_id=prediction, execution_id=run, video_id=video, task=task,
                        content_hash=shown, object_key=key, provider="local", model=f"local/{task}", version="1" * 64,
                        status="succeeded", attempts=1, created_at=self.now, closed_at=self.now)
            found = self.spoken(start) if task == "speech" else self.seen(task, number)
            self.insert("detections", prediction_id=prediction, ordinal=0, execution_id=run, task=task, start_ms=start,
                        end_ms=end, object_key=key, **found)

    @staticmethod
    def spoken(start):
        words = [{"text": word, "start_ms": start + 200 * at, "end_ms": start + 200 * at + 180, "probability": 0.9}
                 for at, word in enumerate(SENTENCE)]
        return {"label": "ru", "score": 0.9, "text": " ".join(SENTENCE), "words": json.dumps(words)}

    @staticmethod
    def seen(task, number):
        kinds = FRAMES[task]
        # One frame in fifty shows something.
        label, score = kinds[-1 if number % 50 == 0 else 0]
        text = ("купить пиво" if number % 50 == 0 else "Серия пятая") if task == "text" else None
        box = json.dumps({"x": 0.1, "y": 0.8, "w": 0.5, "h": 0.1}) if text else None
        return {"label": label, "score": score, "text": text, "bbox": box, "words": "[]"}


def run(program, settings, *args):
    started = time.monotonic()
    done = subprocess.run([program, *args], env=settings, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(args)}: {done.stderr}")
    return time.monotonic() - started, done.stdout.split("\n")


def main():
    program, videos = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as folder:
        settings = {"PATH": os.environ["PATH"], "DATA_DIR": folder, "LANG": "en_US.UTF-8", "LOG_LEVEL": "error"}
        run(program, settings, "migrate")
        archive = Archive(Path(folder) / "compliance.db")
        hour = archive.video(3600, 500)
        for _ in range(videos - 1):
            archive.video(10, 1000)
        archive.db.commit()
        archive.db.close()
        idle = median(run(program, settings, "rescore", str(uuid.uuid4()))[0] for _ in range(5))
        alone = median(run(program, settings, "rescore", "--policy", "ru-436-fz", hour)[0] for _ in range(5))
        print(f"an hour of evidence: {alone - idle:.2f} s (and {idle:.2f} s to start the program)")
        took, told = run(program, settings, "rescore", "--policy", "ru-38-fz-ads", "--all")
        print(f"{videos} videos: {took:.1f} s")
        print("\n".join(line for line in told if line))


if __name__ == "__main__":
    main()
