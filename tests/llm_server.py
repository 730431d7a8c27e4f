"""A chat-completions server on this machine that misbehaves as told, one step per request."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[["Handler"], None]


def completion(content: Any, usage: Any = "right", **message: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": message.pop("finish", "stop"),
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    if usage == "right":
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    if usage is not None:
        told["usage"] = usage
    return told


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.bodies.append(json.loads(body))
            self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
            steps = self.server.steps
            step = steps.pop(0) if len(steps) > 1 else steps[0]
        with contextlib.suppress(OSError):  # the client may have hung up on purpose
            step(self)

    def do_GET(self) -> None:
        self.server.bodies.append({})
        self.send(404, b"")

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.steps = list(steps)
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """A client that hung up is what is tested."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextlib.contextmanager
def serving(*steps: Step) -> Iterator[Server]:
    """A server that takes the steps one after the other, the last one for ever."""
    server = Server(steps)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def right(content: Any = "fine", usage: Any = "right", **message: Any) -> Step:
    body = json.dumps(completion(content, usage, **message)).encode()
    return lambda handler: handler.send(200, body)


def raw(body: bytes, status: int = 200, **headers: str) -> Step:
    return lambda handler: handler.send(status, body, **headers)


def status(code: int, message: str = "no", **headers: str) -> Step:
    return raw(json.dumps({"error": {"message": message}}).encode(), code, **headers)


def slow(seconds: float) -> Step:
    def step(handler: Handler) -> None:
        time.sleep(seconds)
        handler.send(200, json.dumps(completion("late")).encode())

    return step


def dripping(handler: Handler) -> None:
    """Bytes that come one by one, each soon enough for a timeout between bytes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def hanging_up(handler: Handler) -> None:
    handler.cut()


def half(handler: Handler) -> None:
    """The connection is cut in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"message": {"con')
    handler.cut()


def huge(handler: Handler) -> None:
    """A body without an end."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(4096):
        handler.wfile.write(b"x" * 65536)
    handler.close_connection = True


def streaming(handler: Handler) -> None:
    """Events nobody asked for."""
    handler.send(200, b'data: {"choices": [{"delta": {"content": "fi"}}]}\n\ndata: [DONE]\n\n')


def echo(handler: Handler) -> None:
    """Sends back what it was asked, as models that repeat do."""
    said = handler.server.bodies[-1]["messages"][-1]["content"]
    handler.send(200, json.dumps(completion(said)).encode())
