"""The HTTP server of a witness: ``POST /add-checkpoint`` and, for monitors, ``GET /HASH-OF-ORIGIN/checkpoint``.

Standard library alone, so that another organisation runs it beside nothing else. Whoever can reach it can ask; what
counts is the log's signature. Put a TLS proxy before it where it leaves the machine.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from countenance.ledger.witness import MAX_REQUEST, Answer, Witness

SECONDS = 30
"""Longest wait for a client's bytes."""

AT_ONCE = 64
"""Most connections at once; one more is closed."""

_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint")


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness. `log` is told of what went wrong here."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness, log: Callable[[str], None]) -> None:
        self.witness = witness
        self.log = log
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """One thread a connection, as long as there are not too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "countenance-witness"
    sys_version = ""
    timeout = SECONDS
    server: WitnessServer

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self._send(Answer(404, "there is /add-checkpoint here\n"), close=True)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or self.headers.get("Transfer-Encoding"):
            self._send(Answer(411, "say how long it is\n"), close=True)
            return
        if int(length[:9]) > MAX_REQUEST or len(length) > 9:
            self._send(Answer(413, "longer than any request can be\n"), close=True)
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        try:
            answer = self.server.witness.add_checkpoint(body)
        except Exception as error:
            # Its own state could not be read or made durable: nothing was co-signed.
            self.server.log(f"cannot co-sign: {type(error).__name__}: {error}")
            answer = Answer(500, "the witness cannot keep its state\n")
        self._send(answer)

    def do_GET(self) -> None:
        found = _CHECKPOINT.fullmatch(self.path)
        text = self.server.witness.checkpoint(found[1]) if found else None
        self._send(Answer(404, "no checkpoint of such a log\n") if text is None else Answer(200, text))

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        raw = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(raw)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the state says what was co-signed, the alarms what was not."""
