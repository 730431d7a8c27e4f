"""A TCP proxy that cuts connections, stalls them, and delivers late what was sent before."""

from __future__ import annotations

import contextlib
import socket
import threading


class _Pair:
    """One connection: both sockets, and whether anything passes between them."""

    def __init__(self, client: socket.socket, server: socket.socket, flows: bool) -> None:
        self.client, self.server = client, server
        self.flows = threading.Event()
        if flows:
            self.flows.set()


class Proxy:
    """Forwards connections to a port of this machine.

    What is sent while connections are held is delivered when they are released, also where the
    client has gone meanwhile, as in a network. With `deaf`, answers are thrown away.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._held = False
        self.deaf = False
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, new: bool = True) -> None:
        """Let nothing pass on the connections there are; nor on `new` ones."""
        self._held = new
        for pair in self._pairs:
            pair.flows.clear()

    def release(self) -> None:
        """Let all pass again."""
        self._held = False
        for pair in self._pairs:
            pair.flows.set()

    def cut(self) -> None:
        """Break all connections there are."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for side in (pair.client, pair.server):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
            pair.flows.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or `accept` would go on waiting
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = _Pair(client, server, not self._held)
            self._pairs.append(pair)
            threading.Thread(target=self._pump, args=(pair, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, True), daemon=True).start()

    def _pump(self, pair: _Pair, answers: bool) -> None:
        source, target = (pair.server, pair.client) if answers else (pair.client, pair.server)
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                pair.flows.wait()
                if not (answers and self.deaf):
                    target.sendall(data)
        pair.flows.wait()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        if answers:
            pair.client.close()
            pair.server.close()
