"""Drives the local service with Replicate's official Python client, unchanged.

Prints the port of its webhook receiver, reads {"base", "token", "version", "file"} from standard
input, and ends with 0 when everything was as the client's users expect it.
"""

import asyncio
import hashlib
import http.server
import json
import queue
import sys
import threading

import replicate
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks

hooks = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        hooks.put((dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def about(client, version):
    account = client.accounts.current()
    assert (account.type, account.username) == ("organization", "local"), account
    assert [hardware.sku for hardware in client.hardware.list()] == ["cpu"]
    assert [model.id for model in client.models.list()] == ["local/scales"]
    model = client.models.get("local/scales")
    assert model.latest_version.id == version
    assert [v.id for v in model.versions.list()] == [version]
    assert "Input" in model.versions.get(version).openapi_schema["components"]["schemas"]


def files(client, path):
    with open(path, "rb") as file:
        made = client.files.create(file, metadata={"frame": 1})
    assert (made.size, made.metadata) == (5, {"frame": 1}), made
    assert client.files.get(made.id) == made
    assert [file.id for file in client.files.list()] == [made.id]
    assert client.files.delete(made.id) is True
    assert raises(ReplicateError, lambda: client.files.get(made.id)).status == 404


def predictions(client, version, path):
    wanted = {"bytes": 5, "sha256": hashlib.sha256(b"12345").hexdigest()}
    with open(path, "rb") as file:
        made = client.predictions.create(version=version, input={"image": file})
    made.wait()
    assert (made.status, made.output) == ("succeeded", wanted), made
    assert made.metrics["predict_time"] >= 0
    again = client.predictions.get(made.id)
    assert again.output == wanted and again.completed_at

    for ref in (f"local/scales:{version}", "local/scales"):
        with open(path, "rb") as file:
            output = client.run(ref, input={"image": file})
        assert output == wanted, output
        with open(path, "rb") as file:
            output = client.run(ref, input={"image": file}, file_encoding_strategy="base64")
        assert output == wanted, output
    # The wait runs out before the model is done: the client polls on.
    with open(path, "rb") as file:
        slow = {"image": file, "hold_ms": 2500}
        assert client.run(f"local/scales:{version}", input=slow, wait=1) == wanted
    with open(path, "rb") as file:
        input = {"image": file}
        assert asyncio.run(client.async_run("local/scales", input=input)) == wanted

    with open(path, "rb") as file:
        endless = {"image": file, "hold_ms": 600_000}
        held = client.predictions.create(version=version, input=endless)
    held.cancel()
    held.wait()
    assert held.status == "canceled"

    listed = list(client.predictions.list())
    assert listed[0].id == held.id and made.id in [p.id for p in listed]


def refusals(client, base, version, path):
    error = raises(ReplicateError, lambda: client.predictions.create(version=version, input={}))
    assert (error.status, error.title) == (422, "Input validation failed"), error
    assert "input.image" in error.detail
    error = raises(ReplicateError, lambda: client.predictions.get("x" * 26))
    assert error.status == 404
    stranger = replicate.Client(api_token="r8_wrong", base_url=base)
    assert raises(ReplicateError, stranger.accounts.current).status == 401
    with open(path, "rb") as file:
        broken = {"image": file, "trouble": True}
        error = raises(ModelError, lambda: client.run("local/scales", input=broken))
    assert str(error) == "the picture is upside down", error


def webhooks(client, version, path, port):
    with open(path, "rb") as file:
        made = client.predictions.create(
            version=version,
            input={"image": file},
            webhook=f"http://127.0.0.1:{port}/hook?key=K1",
            webhook_events_filter=["completed"],
        )
    headers, body = hooks.get(timeout=30)
    secret = client.webhooks.default.secret()
    Webhooks.validate(headers=headers, body=body, secret=secret, tolerance=300)
    told = json.loads(body)
    assert (told["id"], told["status"]) == (made.id, "succeeded"), told
    forged = body.replace("succeeded", "failed")
    check = lambda: Webhooks.validate(headers=headers, body=forged, secret=secret)
    raises(InvalidSignatureError, check)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    print(port, flush=True)
    given = json.loads(sys.stdin.readline())
    base, version, path = given["base"], given["version"], given["file"]
    client = replicate.Client(api_token=given["token"], base_url=base)
    about(client, version)
    files(client, path)
    predictions(client, version, path)
    refusals(client, base, version, path)
    webhooks(client, version, path, port)
    print("done", flush=True)


main()
