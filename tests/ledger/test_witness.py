"""A witness: the rules of C2SP tlog-witness, over a real socket; what it refuses, and what it raises an alarm about."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import Busy, FetchFailed, LedgerBroken
from countenance.ledger import checkpoint, cosignature, merkle, note, witness, witness_server, witnessing
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.cosignature import WitnessKey
from countenance.ledger.disk import Disk
from countenance.ledger.note import Signer, VerifierKey
from countenance.ledger.witness import Witness
from countenance.ledger.witness_server import WitnessServer

ORIGIN = "countenance.test/ledger"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LOG = Signer.generate(ORIGIN)
OWN = Signer.generate("witness.test/w1")


def leaves_of(count: int, story: bytes = b"") -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % n + story * (n >= 5)) for n in range(count)]


def signed(count: int, story: bytes = b"", by: Signer = LOG, origin: str = ORIGIN) -> str:
    return checkpoint.sign(TreeHead(origin, count, merkle.root_of(leaves_of(count, story))), [by])


def asking(old: int, count: int, story: bytes = b"", **more: Any) -> bytes:
    proof = merkle.consistency_proof(old, count, merkle.nodes_of(leaves_of(count, story)))
    return witness.request(old, proof, signed(count, story, **more))


class Running:
    """A witness behind its server."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder, self.told = folder, list[str]()
        logs = {ORIGIN: [LOG.verifier]}
        self.witness = Witness(folder, OWN, logs, alarm=self.told.append, clock=lambda: NOW, disk=disk)
        self.server = WitnessServer(("127.0.0.1", 0), self.witness, self.told.append)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", int(self.server.server_address[1]), timeout=10)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, str | None]:
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers["Content-Type"]

    def add(self, body: bytes) -> tuple[int, str]:
        return self.ask("POST", "/add-checkpoint", body)[:2]

    @property
    def alarms(self) -> list[str]:
        return [str(one["kind"]) for one in witness.alarms(self.folder)]

    def stop(self) -> None:
        self.connection.close()
        self.server.shutdown()
        self.server.server_close()
        self.witness.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(**more: Any) -> Running:
        running.append(Running(tmp_path / "state", **more))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_the_example_of_the_specification_is_read() -> None:
    """The cosignature of tlog-cosignature's own example, in shape: id, time, signature."""
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0"
        "xUe+mbIUBkBIfZ+qnA==\n"
    )
    (found,) = note.parse_signatures(line)
    assert (found.id.hex(), cosignature.seconds_of(found)) == ("8d66cf3f", 1679315147)
    assert cosignature.line_of(found) == line
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosignature.message(text, 1679315147).decode() == f"cosignature/v1\ntime 1679315147\n{text}"


def test_a_cosignature_is_made_as_the_specification_says() -> None:
    key = cosignature.of(OWN)
    assert key.id == sha256(OWN.name.encode() + b"\n\x04" + key.public).digest()[:4]
    assert key.text == f"{OWN.name}+{key.id.hex()}+{base64.b64encode(bytes([4]) + key.public).decode()}"
    assert WitnessKey.parse(key.text) == key
    line = cosignature.line(OWN, "a\n1\nb\n", 1679315147)
    raw = base64.b64decode(line.split()[2])
    assert raw[:12] == key.id + (1679315147).to_bytes(8, "big")
    OWN.private.public_key().verify(raw[12:], b"cosignature/v1\ntime 1679315147\na\n1\nb\n")
    for wrong in (OWN.verifier.text, key.text[:-1], key.text.replace(key.id.hex(), "00000000"), "", "a+b+c"):
        with pytest.raises(ValueError):
            WitnessKey.parse(wrong)


@given(place=st.integers(0, 71), bit=st.integers(0, 7))
def test_no_bit_of_a_cosignature_is_free(place: int, bit: int) -> None:
    text = "a\n1\nb\n"
    (good,) = note.parse_signatures(cosignature.line(OWN, text, 1679315147))
    at = cosignature.signed_at(note.Note(text, (good,)), cosignature.of(OWN))
    assert at == datetime.fromtimestamp(1679315147, UTC)
    changed = bytearray(good.signature)
    changed[place] ^= 1 << bit
    other = note.NoteSignature(good.name, good.id, bytes(changed))
    assert cosignature.signed_at(note.Note(text, (other,)), cosignature.of(OWN)) is None
    assert cosignature.signed_at(note.Note(text, (good, other)), cosignature.of(OWN)) is None
    assert cosignature.signed_at(note.Note("a\n2\nb\n", (good,)), cosignature.of(OWN)) is None


def test_it_cosigns_what_continues_what_it_has_seen(serve: Callable[..., Running]) -> None:
    running = serve()
    assert running.add(asking(0, 0))[0] == 200
    old = 0
    for size in (3, 4, 4, 7, 20):
        status, body = running.add(asking(old, size))
        assert status == 200
        found = checkpoint.parse((signed(size) + body).encode())
        assert cosignature.signed_at(found.note, cosignature.of(OWN)) == NOW
        old = size
    assert running.alarms == running.told == []
    status, text, kind = running.ask("GET", f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    kept = checkpoint.parse(text.encode())
    assert kept.head.size == 20
    assert kept.note.signed_by(LOG.verifier)
    assert cosignature.signed_at(kept.note, cosignature.of(OWN)) == NOW
    assert running.ask("GET", f"/{'0' * 64}/checkpoint")[0] == 404


def test_its_answers_are_those_of_the_specification(serve: Callable[..., Running]) -> None:
    running, stranger = serve(), Signer.generate(ORIGIN)
    assert running.add(asking(0, 7))[0] == 200
    assert running.ask("POST", "/add-checkpoint", asking(3, 9)) == (409, "7\n", "text/x.tlog.size")
    assert running.add(asking(0, 9)) == (409, "7\n")
    assert running.add(asking(9, 9)) == (409, "7\n")
    assert running.add(witness.request(10, [], signed(9)))[0] == 400
    assert running.add(asking(7, 9, origin="another"))[0] == 404
    assert running.add(asking(7, 9, by=stranger))[0] == 403
    assert running.add(witness.request(7, [], signed(9).replace("=\n\n", "=\nx\n\n")))[0] in (400, 403)
    # Signatures of others, of kinds unknown here too, are ignored; one in the log's name must verify.
    proof = merkle.consistency_proof(7, 9, merkle.nodes_of(leaves_of(9)))
    more = signed(9) + f"— somebody {base64.b64encode(b'x' * 300).decode()}\n" + stranger.signature_line("else\n")
    status, body = running.add(witness.request(7, proof, more))
    assert (status, body.count("\n")) == (200, 1)
    assert "somebody" not in (running.folder / f"{sha256(ORIGIN.encode()).hexdigest()}.checkpoint").read_text()
    bad = note.NoteSignature(ORIGIN, LOG.verifier.id, bytes(64))
    assert running.add(witness.request(9, [], signed(9) + cosignature.line_of(bad)))[0] == 403
    # A proof where none belongs, none where one does, and the empty tree with another root.
    assert running.add(witness.request(9, [bytes(32)], signed(9)))[0] == 422
    assert running.add(witness.request(9, [], signed(12)))[0] == 422
    assert running.add(witness.request(0, [], checkpoint.sign(TreeHead(ORIGIN, 0, bytes(32)), [LOG])))[0] == 422
    assert running.ask("GET", "/add-checkpoint")[0] == 404
    assert running.ask("POST", "/", b"x")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n" + signed(1).encode(),
        b"old -1\n\n" + signed(1).encode(),
        b"new 0\n\n" + signed(1).encode(),
        b"old 0\nAAAA\n\n" + signed(1).encode(),
        b"old 0\n" + base64.b64encode(bytes(32)) * 2 + b"\n\n" + signed(1).encode(),
        b"old 1\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + signed(2).encode(),
        b"\xff\n\n" + signed(1).encode(),
        b"old 0\n\n" + signed(1).encode()[:-1],
        b"old 0\n\n",
    ],
)
def test_what_is_no_request_is_refused(serve: Callable[..., Running], body: bytes) -> None:
    running = serve()
    assert running.add(body)[0] == 400
    assert running.alarms == []


def test_a_request_that_is_too_long_or_of_no_length_is_not_read(serve: Callable[..., Running]) -> None:
    running = serve()
    for headers in ({"Content-Length": "99999999999999"}, {"Content-Length": "200000"}, {"Content-Length": "x"}):
        running.connection.putrequest("POST", "/add-checkpoint")
        for name, value in headers.items():
            running.connection.putheader(name, value)
        running.connection.endheaders()
        assert running.connection.getresponse().status in (411, 413)
        running.connection.close()
    assert running.add(asking(0, 1))[0] == 200


def test_there_is_an_end_to_connections(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "AT_ONCE", 2)
    running = serve()
    place = ("127.0.0.1", int(running.server.server_address[1]))
    idle = [socket.create_connection(place, timeout=10) for _ in range(3)]
    assert idle[2].recv(1) == b"", "the third is closed at once"
    for one in idle:
        one.close()
    for _ in range(500):
        try:
            assert running.add(asking(0, 1))[0] in (200, 409)
            break
        except (ConnectionError, http.client.HTTPException):
            running.connection.close()
            threading.Event().wait(0.01)
    else:
        pytest.fail("it serves no more")


# Split views and roll-backs


@pytest.mark.parametrize(("old", "kind"), [(7, "split-view"), (8, "unproven")])
def test_another_history_is_refused_and_told(serve: Callable[..., Running], old: int, kind: str) -> None:
    """From a size that is no power of two, the proof itself shows that the log has signed two histories."""
    running = serve()
    assert running.add(asking(0, old))[0] == 200
    assert running.add(asking(old, 12, b"other"))[0] == 422
    assert running.alarms == [kind]
    assert len(running.told) == 1
    evidence = witness.alarms(running.folder)[0]
    again = checkpoint.parse(str(evidence["checkpoint"]).encode())
    assert again.note.signed_by(LOG.verifier)
    assert again.head.size == 12
    # The same once more is no news; the honest log goes on.
    assert running.add(asking(old, 12, b"other"))[0] == 422
    assert running.alarms == [kind]
    assert running.add(asking(old, 12))[0] == 200


def test_two_roots_of_one_size_are_a_split_view_whatever_is_asked(serve: Callable[..., Running]) -> None:
    running = serve()
    assert running.add(asking(0, 7))[0] == 200
    assert running.add(asking(7, 7, b"other"))[0] == 422
    assert running.alarms == ["split-view"]
    assert running.add(asking(0, 7, b"third"))[0] == 409
    assert running.alarms == ["split-view", "split-view"]


def test_an_earlier_state_is_a_roll_back(serve: Callable[..., Running]) -> None:
    running = serve()
    assert running.add(asking(0, 5))[0] == 200
    assert running.add(asking(5, 9))[0] == 200
    assert running.add(asking(5, 6)) == (409, "9\n")
    assert running.alarms == ["roll-back"]
    assert "roll-back" in running.told[0]


def test_what_the_log_has_not_signed_raises_no_alarm(serve: Callable[..., Running]) -> None:
    """Anybody may ask: an alarm needs the log's own signature."""
    running = serve()
    assert running.add(asking(0, 7))[0] == 200
    for body in (asking(7, 7, b"other", by=Signer.generate(ORIGIN)), asking(0, 3, by=Signer.generate(ORIGIN))):
        assert running.add(body)[0] == 403
    assert running.alarms == []


# Its state


def test_it_remembers_after_a_restart(serve: Callable[..., Running]) -> None:
    first = serve()
    assert first.add(asking(0, 7))[0] == 200
    first.stop()
    again = serve()
    assert again.add(asking(0, 3)) == (409, "7\n")
    assert again.add(asking(7, 9))[0] == 200


def test_nothing_is_answered_before_it_is_durable(serve: Callable[..., Running]) -> None:
    class Failing(Disk):
        fails = False

        def sync(self, fd: int) -> None:
            if self.fails:
                raise OSError(5, "I/O error")
            super().sync(fd)

    disk = Failing()
    running = serve(disk=disk)
    assert running.add(asking(0, 3))[0] == 200
    disk.fails = True
    status, body = running.add(asking(3, 7))
    assert status == 500
    assert "—" not in body
    disk.fails = False
    assert running.add(asking(0, 7)) == (409, "3\n")


def test_a_state_that_was_altered_is_not_gone_by(serve: Callable[..., Running], tmp_path: Path) -> None:
    running = serve()
    assert running.add(asking(0, 7))[0] == 200
    running.stop()
    path = running.folder / f"{sha256(ORIGIN.encode()).hexdigest()}.checkpoint"
    good = path.read_text()
    for wrong in (good.replace("\n7\n", "\n3\n"), signed(3), good.replace(OWN.name, "other"), ""):
        path.write_text(wrong)
        with pytest.raises(LedgerBroken):
            Witness(running.folder, OWN, {ORIGIN: [LOG.verifier]}, alarm=print)
    path.write_text(good)
    Witness(running.folder, OWN, {ORIGIN: [LOG.verifier]}, alarm=print).close()


def test_one_witness_serves_a_folder(serve: Callable[..., Running]) -> None:
    running = serve()
    with pytest.raises(Busy):
        Witness(running.folder, OWN, {}, alarm=print)


def test_two_who_ask_at_once_do_not_set_it_back(serve: Callable[..., Running]) -> None:
    running = serve()
    answers: list[int] = []

    def work(size: int) -> None:
        answers.append(running.witness.add_checkpoint(asking(0, size)).status)

    threads = [threading.Thread(target=work, args=(size,)) for size in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 15
    assert sum(kind == "split-view" for kind in running.alarms) == 0


# The log's side


def proof_of(size: int, story: bytes = b"") -> Callable[[int], list[bytes]]:
    return lambda old: merkle.consistency_proof(old, size, merkle.nodes_of(leaves_of(size, story)))


def asked(running: Running, size: int, story: bytes = b"", known: int = 0, key: WitnessKey | None = None) -> Any:
    text = signed(size, story)
    head = checkpoint.parse(text.encode()).head
    return witnessing.ask(running.url, key or cosignature.of(OWN), head, text, proof_of(size, story), known)


def test_a_log_asks_and_hears(serve: Callable[..., Running]) -> None:
    running = serve()
    assert asked(running, 3).at == NOW
    assert asked(running, 7, known=3).at == NOW
    assert asked(running, 9).at == NOW, "it asks again from the size that it is told"
    assert asked(running, 9, known=20).at == NOW
    with pytest.raises(LedgerBroken, match="seen 9 entries") as caught:
        asked(running, 6, known=6)
    assert caught.value.details["seen"] == 9
    with pytest.raises(LedgerBroken, match="another history"):
        asked(running, 12, b"other")
    with pytest.raises(FetchFailed, match="another key"):
        asked(running, 10, key=cosignature.of(Signer.generate(OWN.name)))
    assert sorted(running.alarms) == ["roll-back", "split-view"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((409, "many\n"), "size that is none"),
        ((200, "— x\n"), "no co-signature"),
        ((200, ""), "no co-signature"),
        ((200, "x" * 100_000), "no co-signature"),
        ((404, "no\n"), "does not know this ledger"),
        ((403, "no\n"), "another key"),
        ((500, "no\n"), "answered with 500"),
    ],
)
def test_a_witness_that_talks_nonsense(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str], told: str
) -> None:
    running = serve()
    monkeypatch.setattr(Witness, "add_checkpoint", lambda *_: witness.Answer(*answer))
    with pytest.raises(FetchFailed, match=told):
        asked(running, 3)
    running.server.shutdown()
    running.server.server_close()
    with pytest.raises(FetchFailed, match="cannot be reached"):
        asked(running, 3)


@given(st.integers(1, 100).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))))
def test_a_proof_shows_the_earlier_root(sizes: tuple[int, int]) -> None:
    old, new = sizes
    leaves = leaves_of(new)
    proof = merkle.consistency_proof(old, new, merkle.nodes_of(leaves))
    shown = merkle.old_root_of(old, new, merkle.root_of(leaves), proof)
    assert shown == (None if old == new or old & (old - 1) == 0 else merkle.root_of(leaves[:old]))
    assert merkle.old_root_of(old, new, bytes(32), proof) is None


def test_alarms_are_lines_of_json(serve: Callable[..., Running]) -> None:
    running = serve()
    running.add(asking(0, 7))
    running.add(asking(0, 3))
    (line,) = (running.folder / witness.ALARMS).read_text().splitlines()
    told = json.loads(line)
    assert told["kind"] == "roll-back"
    assert told["had"] == {"size": 7, "root": merkle.root_of(leaves_of(7)).hex()}
    with (running.folder / witness.ALARMS).open("a") as file:
        file.write('{"kind": "roll')
    assert [one["kind"] for one in witness.alarms(running.folder)] == ["roll-back", "damaged"]
    assert VerifierKey.parse(LOG.verifier.text) == LOG.verifier
