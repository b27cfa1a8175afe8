#!/usr/bin/env python3
"""Measures how soon a function answers after its start on each host: `bench_hosts.py COMPLIANCE BINARY…`.

The clock runs from the start of the process to the last byte of its first answer, median of several starts, with
the machine's file cache warm: what is measured is the program, not the disk. COMPLIANCE makes the database. Every other
service is a stub on loopback that knows nothing, so that an answer may be a refusal; it is an answer all the same.
"""

import contextlib
import http.client
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

STARTS = 7
LIMIT = 30
MIB = 1 << 20
EVENT = {
    "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {},
    "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/"}},
    "isBase64Encoded": False,
}


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Stub(Quiet):
    """Storage and models that know nothing."""

    def do_GET(self):
        self.say(200, {"results": [], "next": None, "key": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})

    do_POST = do_PUT = do_HEAD = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A function that is ended in the middle of its next poll is no error."""


@contextlib.contextmanager
def serving(handler):
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextlib.contextmanager
def running(binary, env, **more):
    child = subprocess.Popen([binary], env=env, stderr=subprocess.DEVNULL, **more)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def as_lambda(binary, env):
    """A runtime API that has one event to give."""
    answered = threading.Event()

    class Api(Quiet):
        given = False

        def do_GET(self):
            if Api.given:
                answered.wait(LIMIT)
                return self.say(410, {})
            Api.given = True
            deadline = str(int((time.time() + 60) * 1000))
            self.say(200, EVENT, [("lambda-runtime-aws-request-id", "1"), ("lambda-runtime-deadline-ms", deadline)])

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            answered.set()
            self.say(202, {})

    with serving(Api) as api:
        host, port = api.server_address
        variables = {"AWS_LAMBDA_RUNTIME_API": f"{host}:{port}", "AWS_LAMBDA_FUNCTION_NAME": "f",
                     "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}
        began = time.perf_counter()
        with running(binary, {**env, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
            if not answered.wait(LIMIT):
                sys.exit(f"bench: {binary} does not answer Lambda")
            return time.perf_counter() - began


def as_action(binary, env):
    """A proxy that writes one line and reads one."""
    read, write = os.pipe()
    variables = {"__OW_PROXY_VERSION": "1.19.0"}
    line = json.dumps({"value": {"http": {"method": "GET", "path": "", "headers": {}}}}) + "\n"
    began = time.perf_counter()
    with running(binary, {**env, **variables}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                 close_fds=False, preexec_fn=lambda: os.dup2(write, 3)) as child:
        os.close(write)
        child.stdin.write(line.encode())
        child.stdin.flush()
        with os.fdopen(read) as answers:
            if not answers.readline():
                sys.exit(f"bench: {binary} ends without an answer in an ActionLoop")
        return time.perf_counter() - began


def as_http(binary, env):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/functions/{Path(binary).name}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    began = time.perf_counter()
    with running(binary, {**env, "PORT": str(port)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        while time.perf_counter() - began < LIMIT and child.poll() is None:
            try:
                with opener.open(url, timeout=LIMIT) as answer:
                    answer.read()
            except urllib.error.HTTPError as refused:
                refused.read()
            except (OSError, http.client.HTTPException):
                time.sleep(0.001)
                continue
            return time.perf_counter() - began
    sys.exit(f"bench: {binary} does not listen")


def main(compliance, *binaries):
    with tempfile.TemporaryDirectory() as scratch, serving(Stub) as stub:
        address = "http://{}:{}".format(*stub.server_address)
        env = {
            "DATA_DIR": scratch, "DATABASE_URL": f"sqlite://{scratch}/compliance.db", "LOG_LEVEL": "error",
            "BACKBLAZE_ENDPOINT_URL": address, "BACKBLAZE_APPLICATION_KEY_ID": "id", "BACKBLAZE_APPLICATION_KEY": "key",
            "BACKBLAZE_BUCKET_NAME": "bucket", "B2_MAX_RETRIES": "0", "B2_NOTIFICATION_SECRET": "secret",
            "REPLICATE_API_BASE_URL": f"{address}/v1", "REPLICATE_API_TOKEN": "token",
        }
        subprocess.run([compliance, "migrate"], env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
        print(f"{'function':20} {'size':>9} {'Lambda':>9} {'ActionLoop':>11} {'HTTP':>9}")
        for binary in binaries:
            size = f"{os.stat(binary).st_size / MIB:.1f} MiB"
            medians = []
            for host in (as_lambda, as_action, as_http):
                host(binary, env)
                times = [host(binary, env) for _ in range(STARTS)]
                medians.append(f"{1000 * statistics.median(times):.0f} ms")
            print(f"{Path(binary).name:20} {size:>9} {medians[0]:>9} {medians[1]:>11} {medians[2]:>9}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
