"""The keys beside a home: described, exported, put back, rotated.

Rotating the key of the templates survives a power cut at any moment: the new key is kept beside the old one and named
in the database first; then the vector file is replaced in one rename; then probes and names follow. What the vector
file says it is protected by decides which key is the right one when the home is opened again.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, select, update

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, CountenanceError, KeyTrouble, Unavailable
from countenance.domain.index import VectorIndex
from countenance.faces import protection
from countenance.faces.protection import Rotation
from countenance.index.opening import key_of, told_of
from countenance.ledger import keys as ledger_keys
from countenance.ledger import seal
from countenance.ledger.log import Ledger
from countenance.services.home import HOME_ID, IMPORTED, LEDGER_KEY, NAME_KEY, ORIGIN, Home, Where, open_home
from countenance.services.permit import PROBE, probe_item
from countenance.store import items
from countenance.store.database import Database, put_meta
from countenance.store.schema import meta, searches

ROTATION = "rotation_key"
ROTATION_NEXT = "rotation_key_next"
FORMAT = "countenance keys 1"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """A home's keys, with what is needed to rotate them. `pack` is None before anything was indexed."""

    home: Home
    pack: str | None
    dimension: int
    rotation: Callable[[], Rotation]
    index: Callable[[], VectorIndex]


def rotation_file(home: Home, pack: str) -> Path:
    """Where the key of a pack's templates lies."""
    return home.keys / f"{pack}.rotation"


def open_rotation(home: Home, pack: str, dimension: int, actor: Actor) -> Rotation:
    """The key of a pack's templates; made when there is none yet, and a rotation that was cut off is settled.

    Raises KeyTrouble, before anything is written, when it is missing, damaged or another one.
    """
    settle(home, pack, dimension, actor)
    path = rotation_file(home, pack)
    known = home.database.meta(ROTATION)
    if known is None and not path.exists():
        if key_of(home.vectors, pack) is not None:
            raise KeyTrouble(
                "there are templates here but no key that protects them",
                advice="restore the key folder (`countenance keys import`); nothing was changed",
            )
        fresh = protection.generate(dimension)
        protection.save(fresh, path)
        home.record.enter("key.created", actor, {"what": "templates", "pack": pack, "key": fresh.key_id})
    rotation = protection.load(path, dimension=dimension)
    if known is None:
        home.database.set_meta(ROTATION, rotation.key_id)
    elif known != rotation.key_id:
        raise KeyTrouble(
            "the key that protects this home's templates is another one",
            advice="restore the right key folder (`countenance keys import`); nothing was changed",
        )
    return rotation


def vectors_seen(path: Path) -> tuple[int, str] | None:
    """Of a file of templates, wherever it lies: how many it has room for, and which key protects them; None when it is
    none."""
    return told_of(path)


def described(ring: KeyRing) -> dict[str, Any]:
    """Where the keys are and what names them; never the keys."""
    home = ring.home
    return {
        "folder": str(home.keys),
        "home": home.id,
        "ledger": home.record.ledger.vkey,
        "templates": home.database.meta(ROTATION),
        "pack": ring.pack,
    }


def export_keys(ring: KeyRing, file: Path, actor: Actor) -> list[str]:
    """Write every key into one new file (0600). Raises BadInput when it is there, Unavailable on a full disk."""
    home = ring.home
    names = sorted(p.name for p in home.keys.iterdir() if p.is_file() and p.name in _names(ring.pack))
    body = {
        "format": FORMAT,
        "home": home.id,
        "keys": {name: base64.b64encode((home.keys / name).read_bytes()).decode() for name in names},
    }
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise BadInput(f"there is a file already: {file}", advice="choose another name") from None
    except OSError as error:
        raise Unavailable(f"the keys cannot be written: {error.strerror}", advice="choose another place") from None
    try:
        with os.fdopen(descriptor, "w") as target:
            # The file is empty until the entry is durable, and gone when it cannot be completed.
            home.record.enter("keys.exported", actor, {"keys": names})
            json.dump(body, target, indent=1)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        file.unlink(missing_ok=True)
        raise Unavailable(f"the keys cannot be written: {error.strerror}", advice="choose another place") from None
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return names


def import_keys(where: Where, file: Path, actor: Actor, *, force: bool) -> tuple[str, list[str]]:
    """Put exported keys back where the home looks for them. Returns the home's id and the keys' names.

    It is entered at once where the home can be opened, and otherwise when it is opened next: the note that waits for
    that lies beside the keys, and is there before they are.

    Raises BadInput for a file that is no export, KeyTrouble when it is of another home or other keys are there.
    """
    home_id, keys = _read_export(file)
    there = where.is_home()
    if there:
        here = Database.open(where.rows)
        try:
            known = here.meta(HOME_ID)
        finally:
            here.close()
        if known != home_id:
            raise KeyTrouble("these keys belong to another home", advice="look for the export of this one")
    target = where.keys / home_id
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    differing = [n for n, k in keys.items() if (target / n).exists() and (target / n).read_bytes() != k]
    if differing and not force:
        raise KeyTrouble(
            f"other keys are there: {', '.join(differing)}",
            advice="move them away, or add --force to replace them; a replaced key is gone",
        )
    _note_import(target, actor, {"keys": sorted(keys), "replaced": sorted(differing), "forced": force})
    for name, content in keys.items():
        fresh = target / f"{name}.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(target / name)
    _sync(target)
    if there:
        # Other keys may still be missing: then the note waits.
        with contextlib.suppress(CountenanceError):
            open_home(where, actor).close()
    return home_id, sorted(keys)


def _note_import(target: Path, actor: Actor, said: dict[str, Any]) -> None:
    by = {"user": actor.user, "via": actor.via, "stated": actor.stated}
    descriptor = os.open(target / IMPORTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(json.dumps(said | {"actor": by}) + "\n")
        out.flush()
        os.fsync(out.fileno())


def rotate_ledger_key(ring: KeyRing, actor: Actor) -> dict[str, Any]:
    """Let a new signing key take over, announced in an entry that the old key signs."""
    before = ring.home.record.ledger.vkey
    receipt = ring.home.record.ledger.rotate_key(actor.as_json())
    return {"what": "ledger", "old": before, "new": ring.home.record.ledger.vkey, "receipt": receipt.as_json()}


def replace_lost_ledger_key(where: Where, actor: Actor) -> dict[str, Any]:
    """Go on under a new signing key when the old one is lost: the ledger says so, for ever.

    Raises KeyTrouble when it is not lost, BadInput when there is no home. Verifiers who
    trust the lost key must be given the new one by another way; see docs/ledger.md.
    """
    database = Database.open(where.rows)
    try:
        home_id = database.meta(HOME_ID)
    finally:
        database.close()
    if home_id is None:
        raise BadInput("this is no home yet", advice="there is no ledger whose key could be lost")
    keys = where.keys / home_id
    origin = f"{ORIGIN}{home_id}"
    lost = (where.folder / "ledger" / "key").read_text().strip()
    if (keys / LEDGER_KEY).exists():
        # It may be the new one, when a power cut came between making it and saying so in the ledger.
        signer = ledger_keys.load(keys / LEDGER_KEY)
        if signer.verifier.text == lost:
            raise KeyTrouble("the signing key is there", advice="rotate it instead: countenance keys rotate ledger")
    else:
        signer = ledger_keys.create(keys / LEDGER_KEY, origin)
    ledger = Ledger.replace_lost_key(where.folder / "ledger", signer, origin=origin, lost=lost, actor=actor.as_json())
    try:
        return {"what": "ledger", "old": lost, "new": ledger.vkey, "entry": ledger.size - 1}
    finally:
        ledger.close()


def rotate_template_key(ring: KeyRing, actor: Actor) -> dict[str, Any]:
    """Protect every template, and every sealed probe, by a new key. Raises BadInput when nothing was indexed yet."""
    if ring.pack is None:
        raise BadInput("nothing is indexed yet", advice="there is no key of templates to rotate")
    home = ring.home
    old, index = ring.rotation(), ring.index()
    with home.writing():
        new = protection.generate(ring.dimension)
        beside = _next_file(home, ring.pack)
        beside.unlink(missing_ok=True)
        protection.save(new, beside)
        home.database.set_meta(ROTATION_NEXT, new.key_id)
        index.rekey(lambda v: protection.from_one_to_another(old, new, v), new.key_id)
        settle(home, ring.pack, ring.dimension, actor)
    return {"what": "templates", "pack": ring.pack, "old": old.key_id, "new": new.key_id}


def settle(home: Home, pack: str, dimension: int, actor: Actor) -> None:
    """Finish a rotation that was begun: forwards when the vector file has the new key, backwards when it has not."""
    database = home.database
    coming = database.meta(ROTATION_NEXT)
    if coming is None:
        return
    beside, path = _next_file(home, pack), rotation_file(home, pack)
    if key_of(home.vectors, pack) == coming:
        before = database.meta(ROTATION)
        if before != coming:
            _protect_probes_anew(
                database,
                protection.load(path, dimension=dimension),
                protection.load(beside, dimension=dimension),
            )
        if beside.exists():
            beside.replace(path)
            _sync(path.parent)
        home.record.enter("key.rotated", actor, {"what": "templates", "pack": pack, "key": coming})
    else:
        beside.unlink(missing_ok=True)
    with database.write() as c:
        c.execute(delete(meta).where(meta.c.key == ROTATION_NEXT))


def _protect_probes_anew(database: Database, old: Rotation, new: Rotation) -> None:
    """Sealed probes are rotated like templates; they and the key's name change in one transaction."""
    with database.write() as c:
        rows = list(c.execute(select(searches.c.id, searches.c.probe).where(searches.c.probe.is_not(None))))
        keys = items.open_keys(c, [probe_item(row.id) for row in rows])
        for row in rows:
            item = probe_item(row.id)
            if item not in keys:
                continue
            key = seal.ItemKey(item, keys[item])
            body = seal.open_sealed(key, PROBE, row.probe)
            template = np.frombuffer(base64.b64decode(body["template"]), "<f2").astype(np.float32)[None, :]
            moved = protection.from_one_to_another(old, new, template).astype("<f2")
            body["template"] = base64.b64encode(moved.tobytes()).decode()
            c.execute(update(searches).where(searches.c.id == row.id).values(probe=seal.seal(key, PROBE, body)))
        put_meta(c, ROTATION, new.key_id)


def _next_file(home: Home, pack: str) -> Path:
    return home.keys / f"{pack}.rotation.next"


def _names(pack: str | None) -> set[str]:
    names = {LEDGER_KEY, NAME_KEY}
    return names | {f"{pack}.rotation", f"{pack}.rotation.next"} if pack else names


def _read_export(file: Path) -> tuple[str, dict[str, bytes]]:
    try:
        body = json.loads(file.read_text())
        if body["format"] != FORMAT:
            raise ValueError
        keys = {name: base64.b64decode(value, validate=True) for name, value in body["keys"].items()}
        home_id = body["home"]
        if not (isinstance(home_id, str) and home_id.isalnum() and keys):
            raise ValueError
        if any("/" in name or name.startswith(".") for name in keys):
            raise ValueError
    except OSError as error:
        raise BadInput(
            f"the export cannot be read: {error.strerror}", advice="give the file of `keys export`"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            "this is no export of keys", advice="give the file that `countenance keys export` wrote"
        ) from None
    return home_id, keys


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
