"""The only door to likeness.

Nothing else mints a permit and nothing else searches an index: page, API, Python, command and erasing by face all come
through here. In order: check the authority, spend one use, write that the search began, compare.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import LedgerBroken, NoAuthority
from countenance.domain.faces import Vectors
from countenance.domain.index import Hits, In, VectorIndex
from countenance.domain.permits import Permit
from countenance.domain.traits import ProbeTraits
from countenance.ledger import seal
from countenance.services import authorise
from countenance.services.record import Record
from countenance.services.register import check_borne_out
from countenance.store import authorities, items, moments, searches
from countenance.store.sources import in_collections, those_there

IN_BETWEEN = timedelta(minutes=1)
"""Longer than a running look-up stays between spending its use and saying so in the ledger."""

PROBE = b"probe"
"""What a sealed probe is bound to: it opens as nothing else."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a look-up is for ("search", "erase" or "subject"), what was given, and how long its sealed probe is kept.
    `traits` are what the photographs are like, for the overseer: sealed with the probe, and gone with it."""

    kind: str
    digests: tuple[bytes, ...]
    faces: int
    probe_days: int
    traits: tuple[ProbeTraits, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """A permit with what it was minted from."""

    permit: Permit
    search: str
    authority: Authority
    collections: tuple[str, ...]
    source_ids: tuple[int, ...]
    started_seq: int


def mint(
    record: Record,
    authority_id: str,
    collections: Sequence[str] | None,
    probes: Vectors,
    purpose: Purpose,
    actor: Actor,
) -> Leave:
    """Check the authority, spend one use, record that the look-up began, and mint the permit.

    `probes` is (1, dimension) float32, rotated. Raises NoAuthority (the refusal is an entry), UnknownThing for a
    collection that is not there, LedgerUnavailable (the use is spent, nothing is compared).
    """
    authority, wanted = authorise.check(record, authority_id, collections, actor)
    now = moments.now()
    with record.database.read() as c:
        if collections is None:
            # What it covers and what was erased since: there is nothing to search in that.
            wanted = those_there(c, wanted)
        sources = in_collections(c, wanted, live_at=now)
        for source in sources:
            check_borne_out(record, source, c)
    search = "S-" + secrets.token_hex(8)
    item = probe_item(search)
    keep_until = authority.expires_at + timedelta(days=purpose.probe_days)
    with record.database.write() as c:
        use = authorities.reserve_use(c, authority.id, now=now)
        if use is not None:
            key = seal.ItemKey(item, items.new_key(c, item))
            searches.begin(
                c,
                search,
                authority=authority.id,
                actor=actor.user,
                probe=seal.seal(key, PROBE, _sealed_probe(probes)),
                at=now,
                keep_until=keep_until,
            )
    if use is None:
        raise _lost_race(record, authority.id, wanted, actor)
    receipt = record.enter(
        f"{purpose.kind}.started",
        actor,
        {
            "search": search,
            "authority": authority.id,
            "self_approved": authority.self_approved,
            "use": use,
            "collections": list(wanted),
            "photographs": [seal.commit(key, digest) for digest in purpose.digests],
            "faces": purpose.faces,
            "item": item,
        },
        sealed={item: {"photographs": [one.as_json() for one in purpose.traits]}} if purpose.traits else None,
        keys={item: key.secret},
    )
    source_ids = tuple(s.id for s in sources)
    permit = Permit(authority=authority.id, search=search, probes=probes, sources=source_ids)
    return Leave(permit, search, authority, tuple(wanted), source_ids, receipt.seq)


def settle(record: Record, actor: Actor) -> None:
    """Enter the look-ups that were cut off after their use was spent and before the ledger said so."""
    with record.database.read() as c:
        cut_off = searches.unentered(c, before=moments.now() - IN_BETWEEN)
        if not cut_off:
            return
        since = min(authorities.get(c, row.authority_id).grant_seq for row in cut_off)
    try:
        begun = _begun(record, since)
    except LedgerBroken:  # `ledger verify`, for which the home has to open, says where
        return
    for row in cut_off:
        seq = begun.get(row.id)
        if seq is None:
            body = {"search": row.id, "authority": row.authority_id, "holder": row.actor, "shown": False}
            seq = record.enter("search.cut-off", actor, body).seq
        with record.database.write() as c:
            searches.started(c, row.id, seq=seq)


def _begun(record: Record, since: int) -> dict[str, int]:
    """The look-ups of which the ledger says, after `since`, that they began; and the entry that says it."""
    entries = record.ledger.entries(max(0, since), record.ledger.size)
    return {str(one.body["search"]): one.seq for one in entries if one.kind in authorise.BEGUN}


def look_up(index: VectorIndex, leave: Leave, probes: Vectors, *, min_score: float, limit: int) -> Hits:
    """Compare, once. Raises PermitMisused."""
    return index.search(
        leave.permit,
        probes,
        min_score=min_score,
        limit=limit,
        where=In("source", leave.permit.sources),
    )


def probe_item(search: str) -> str:
    """The item under which a search's probe is sealed."""
    return f"probe:{search}"


def _sealed_probe(probes: Vectors) -> dict[str, object]:
    return {"template": base64.b64encode(probes.astype("<f2").tobytes()).decode(), "dimension": probes.shape[1]}


def _lost_race(record: Record, id: str, wanted: list[str], actor: Actor) -> NoAuthority:
    """Somebody else spent the last use, or it ended, between the check and the reservation: say which."""
    with record.database.read() as c:
        state = authorities.get(c, id).state(moments.now())
    return authorise.refuse(record, id, "spent" if state == "live" else state, wanted, actor)
