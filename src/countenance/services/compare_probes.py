"""Compare the kept probes of searches with each other, for an overseer: the one place where that is done.

It is a way to likeness, so it keeps to the same order as a search: the purpose is stated, the entry is durable, then
the probes are opened. No template and no likeness leaves this module, only labels; nothing of an index is touched.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from sqlalchemy import select

from countenance.domain.acts import FaceLabels, Search
from countenance.domain.alike import Sameness, label_faces
from countenance.domain.authority import Actor
from countenance.domain.errors import KeyTrouble
from countenance.domain.faces import Vectors
from countenance.domain.lawful import check_lawful
from countenance.domain.strangers import NO_BACKGROUND, Calibration, background_of
from countenance.ledger import seal
from countenance.services.permit import PROBE, probe_item
from countenance.services.record import Record
from countenance.store import items
from countenance.store.pictures import chunks
from countenance.store.schema import searches as rows

COMPARED = "probes.compared"


def compare_probes(
    record: Record, searches: Sequence[Search], calibration: Calibration, limits: Sameness, purpose: str, actor: Actor
) -> FaceLabels:
    """Which of these searches looked for one face. A probe that was shredded or has lapsed is in no label.

    `purpose` is one of the four lawful ones. Raises BadInput, LedgerUnavailable before any probe is opened.
    """
    check_lawful(purpose)
    if not searches:
        return FaceLabels()
    body = {"purpose": purpose, "searches": len(searches), "first": searches[0].seq, "last": searches[-1].seq}
    record.enter(COMPARED, actor, body)
    ids, templates = _open(record, [one.search for one in searches])
    cases = {one.search: one.case for one in searches}
    return label_faces(ids, templates, cases, calibration, limits)


def sought(
    record: Record, template: Vectors, calibration: Calibration, limits: Sameness, report: str, actor: Actor
) -> set[str] | None:
    """Which kept probes are surely of one face with `template` ((1, dimension) float32, rotated); None when how alike
    strangers look was never measured. For somebody who asks what was done about them; `report` is the look-up's id.

    Raises LedgerUnavailable before any probe is opened.
    """
    with record.database.read() as c:
        kept = list(c.execute(select(rows.c.id).where(rows.c.probe.is_not(None), rows.c.id != report)).scalars())
    record.enter(COMPARED, actor, {"purpose": "subject-access", "report": report, "searches": len(kept)})
    if calibration.pairs == 0:
        return None
    ids, templates = _open(record, kept)
    if not ids or templates.shape[1] != template.shape[1]:
        return set()
    scores = templates @ template[0]
    background = background_of(scores)
    return {
        id
        for id, score in zip(ids, scores.tolist(), strict=True)
        if calibration.expected(score, len(ids), background).high <= limits.strangers
    }


def again(
    record: Record,
    template: Vectors,
    searches: Sequence[str],
    calibration: Calibration,
    limits: Sameness,
    search: str,
    actor: Actor,
) -> set[str]:
    """Which of these earlier searches looked for the same person as `search`, whose probe is `template` ((1, dimension)
    float32, rotated). Their verdicts are shown to whoever made it; no likeness is.

    Raises LedgerUnavailable before any probe is opened.
    """
    body = {"purpose": "earlier-verdicts", "search": search, "searches": len(searches), "with": list(searches)}
    record.enter(COMPARED, actor, body)
    ids, templates = _open(record, searches)
    if calibration.pairs == 0 or not ids or templates.shape[1] != template.shape[1]:
        return set()
    scores = (templates @ template[0]).tolist()
    # These few were chosen, and are no background: the pack's typical one is.
    alike = (calibration.expected(score, len(ids), NO_BACKGROUND).high <= limits.strangers for score in scores)
    return {id for id, one in zip(ids, alike, strict=True) if one}


def _open(record: Record, wanted: Sequence[str]) -> tuple[list[str], Vectors]:
    """The kept probes, (n, dimension) float32 unit rows; those of another length than most are left out."""
    ids: list[str] = []
    found: list[Vectors] = []
    for chunk in chunks(wanted):
        with record.database.read() as c:
            kept = list(c.execute(select(rows.c.id, rows.c.probe).where(rows.c.id.in_(chunk))))
            keys = items.open_keys(c, [probe_item(row.id) for row in kept])
        for row in kept:
            item = probe_item(row.id)
            if row.probe is None or item not in keys:
                continue
            try:
                body = seal.open_sealed(seal.ItemKey(item, keys[item]), PROBE, row.probe)
            except KeyTrouble:
                continue  # an edited row: `countenance doctor` has more to say of it
            template = np.frombuffer(base64.b64decode(body["template"]), "<f2").astype(np.float32)
            if found and template.shape != found[0].shape:
                continue
            ids.append(row.id)
            found.append(template / max(float(np.linalg.norm(template)), 1e-6))
    return ids, np.stack(found) if found else np.zeros((0, 1), np.float32)
