"""A mail server on loopback, as small as one can be that a real client talks to: it takes mail, or refuses it."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast


@dataclass
class PostOffice:
    """What came in, and how it behaves: with `tls` (a file of certificate and key) it wants TLS from the first byte or
    after STARTTLS, with `login` ("name", "password") it wants that first, with `closed` it refuses every mail."""

    port: int = 0
    tls: Path | None = None
    at_once: bool = False
    login: tuple[str, str] | None = None
    closed: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)


@contextmanager
def post_office(office: PostOffice) -> Iterator[PostOffice]:
    """Open until the end of the block."""

    class Counter(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                with suppress(OSError, ssl.SSLError):
                    self.serve()
            finally:
                for one in (self.rfile, self.wfile, self.connection):
                    with suppress(OSError):
                        one.close()

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def secure(self) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(office.tls))
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)  # type: ignore[assignment]

        def serve(self) -> None:
            if office.at_once:
                self.secure()
            secured, known = office.at_once or office.tls is None, office.login is None
            self.say("220 post office")
            while line := self.rfile.readline():
                words = line.decode().strip()
                verb = words.upper()
                if verb.startswith(("EHLO", "HELO")):
                    more = [] if secured else ["STARTTLS"]
                    more += [] if known or not secured else ["AUTH PLAIN"]
                    lines = ["post office", *more]
                    for n, one in enumerate(lines):
                        self.say(f"250{' ' if n == len(lines) - 1 else '-'}{one}")
                elif verb == "STARTTLS":
                    self.say("220 go ahead")
                    self.secure()
                    secured = True
                elif verb.startswith("AUTH PLAIN"):
                    given = base64.b64decode(words.split()[2]).decode().split("\0")[1:]
                    known = office.login == tuple(given)
                    self.say("235 welcome" if known else "535 no")
                elif not secured or not known:
                    self.say("530 not like this")
                elif verb.startswith("MAIL"):
                    self.say("451 closed for today" if office.closed else "250 ok")
                elif verb.startswith("RCPT"):
                    office.recipients.append(words.partition("<")[2].rstrip(">"))
                    self.say("250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    raw = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        raw += part.removeprefix(b".") if part.startswith(b"..") else part
                    office.mails.append(cast(EmailMessage, message_from_bytes(raw, policy=policy.default)))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Counter) as server:
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield office
        finally:
            server.shutdown()
            thread.join(5)
