"""`countenance witness`: co-sign the checkpoints of somebody else's ledger. Needs no home."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput, Unavailable

app = typer.Typer(no_args_is_help=True, help="Co-sign the checkpoints of another organisation's ledger.")

KeyFile = Annotated[Path, typer.Option("--key", help="File of the witness's private key.")]
State = Annotated[Path, typer.Option("--state", help="Folder of what the witness has seen, and of its alarms.")]

ALARM = 1
"""Exit code of `witness status` when there are alarms."""


@app.command()
def key(
    file: KeyFile,
    name: Annotated[
        str | None, typer.Option(help="The witness's name, like witness.example/w1: makes the key if there is none.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Print the witness's public key, for those who check co-signatures. With `--name` make it first.

    Example: countenance witness key --key witness.key --name witness.example/w1
    """
    from countenance.ledger import cosignature, keys
    from countenance.ledger.note import valid_name

    reply = Reply(json)
    if name is not None and not file.exists():
        if not valid_name(name):
            raise BadInput("a witness's name holds no white space and no plus sign")
        keys.create(file, name)
    vkey = cosignature.of(keys.load(file)).text
    if not reply.object({"key": vkey}):
        reply.say(vkey)


@app.command()
def serve(
    key: KeyFile,
    state: State,
    vkey: Annotated[list[str], typer.Option(help="Public key of a ledger, from `countenance ledger key`; repeatable.")],
    origin: Annotated[str | None, typer.Option(help="Origin of the ledger, where it is not the key's name.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8766,
    json: options.Json = False,
) -> None:
    """Serve C2SP tlog-witness: co-sign checkpoints that continue the last one seen, and no other.

    A ledger that shows two histories, or goes back, is refused, and an alarm is kept; see `countenance witness status`.

    Example: countenance witness serve --vkey 'countenance/…+…+…' --state witness --key witness.key
    """
    from countenance.ledger import cosignature, keys
    from countenance.ledger.note import VerifierKey
    from countenance.ledger.witness import Witness
    from countenance.ledger.witness_server import WitnessServer

    reply = Reply(json)
    logs: dict[str, list[VerifierKey]] = {}
    for text in vkey:
        try:
            found = VerifierKey.parse(text)
        except ValueError as error:
            raise BadInput(str(error), advice="`countenance ledger key` prints it") from None
        logs.setdefault(origin or found.name, []).append(found)
    signer = keys.load(key)

    def tell(what: str) -> None:
        sys.stderr.write(f"{what}\n")
        sys.stderr.flush()

    try:
        witness = Witness(state, signer, logs, alarm=lambda what: tell(f"ALARM {what}"))
        server = WitnessServer((host, port), witness, tell)
    except OSError as error:
        raise Unavailable(f"the witness cannot be started: {error.strerror}", advice="choose another port") from None
    place = f"http://{host}:{server.server_address[1]}"
    own = cosignature.of(signer).text
    if not reply.object({"url": place, "key": own, "logs": sorted(logs)}):
        reply.say(f"{own}\nat {place} witnesses {', '.join(sorted(logs))}. Ctrl-C ends it.")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    finally:
        server.server_close()
        witness.close()


@app.command()
def status(state: State, json: options.Json = False) -> None:
    """Say what the witness has seen last of each ledger, and its alarms; the exit code is 1 when there are any.

    Move the file alarms.jsonl out of the folder when it has been dealt with, and keep it: it is evidence.

    Example: countenance witness status --state witness
    """
    from datetime import UTC, datetime

    from countenance.ledger import cosignature, note
    from countenance.ledger.witness import alarms, states

    if not state.is_dir():
        raise BadInput(f"there is no such folder: {state}")
    reply = Reply(json)
    seen = [
        {
            "origin": found.head.origin,
            "size": found.head.size,
            "root": found.head.root.hex(),
            "at": max(
                datetime.fromtimestamp(cosignature.seconds_of(s), UTC).isoformat()
                for s in found.note.signatures
                if len(s.signature) == note.COSIGNATURE
            ),
        }
        for found in states(state)
    ]
    raised = alarms(state)
    if not reply.object({"logs": seen, "alarms": raised}):
        reply.table("Ledgers", ("origin", "entries", "seen"), [(s["origin"], s["size"], s["at"]) for s in seen])
        for one in raised:
            reply.say(f"ALARM {one['kind']} at {one['at']}: {one['origin']}")
    if raised:
        raise typer.Exit(ALARM)
