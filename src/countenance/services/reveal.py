"""Open what a search showed, while its handle lives: the result again, crops, whole pictures, an export."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.parse
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NoAuthority, Refused, UnknownThing, UnreadableImage
from countenance.domain.results import ExpectedStrangers, Group, SearchResult
from countenance.domain.reviews import SAME
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.reading import read_file
from countenance.imaging.thumbnail import MEDIA_TYPE, thumbnail
from countenance.services import authorise
from countenance.services.present import shown
from countenance.services.record import Record
from countenance.services.shield import restricted
from countenance.store import moments, searches
from countenance.store.blobs import Blobs
from countenance.store.items import disclosed_note
from countenance.store.pictures import SightingRow, sightings_by_id, sightings_of_image

PICTURE_SIDE = 1600


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A whole picture, re-encoded without its metadata, with the face's box in its own pixels.

    `content` is None where the picture is neither kept nor readable; `why_missing` says so in words.
    """

    content: bytes | None
    media_type: str
    width: int
    height: int
    box: tuple[int, int, int, int]
    pages: tuple[dict[str, Any], ...]
    why_missing: str | None


@dataclass(frozen=True, slots=True)
class Revealer:
    """Opens crops and pictures by a search's handle."""

    record: Record
    blobs: Blobs
    demo: bool
    showing: Callable[[], AbstractContextManager[None]]
    """Held from looking until what is shown has been entered."""
    limits: Limits
    """What a picture may cost."""
    outcomes: Callable[[str], Mapping[int, str | None]]
    """What two people have said of a search's candidates."""

    def shown(self, search: str, handle: str) -> SearchResult:
        """The result again; what was erased since is missing. Raises NoAuthority when the handle opens nothing."""
        row = self._open(search, handle)
        hidden = restricted(self.record)
        with self.record.database.read() as c:
            candidates = [x for x in searches.candidates_of(c, search) if x.sighting_id not in hidden]
            rows = {s.id: s for s in sightings_by_id(c, [x.sighting_id for x in candidates])}
        result = row.result
        judged = {int(id): datetime.fromisoformat(at) for id, at in result.get("judged_different", {}).items()}
        groups = []
        for group in result["groups"]:
            members = tuple(
                replace(shown(rows[x.sighting_id], x.likeness), judged_different=judged.get(x.sighting_id))
                for x in candidates
                if x.rank == group["rank"] and x.sighting_id in rows
            )
            if members:
                groups.append(
                    Group(group["rank"], group["likeness"], ExpectedStrangers(**group["expected_strangers"]), members)
                )
        return SearchResult(
            search=search,
            authority=row.authority_id,
            self_approved=result["self_approved"],
            photographs=result["probe"]["photographs"],
            probe_faces=result["probe"]["faces"],
            probe_warnings=tuple(result["probe"]["warnings"]),
            collections=tuple(result["index"]["collections"]),
            index_faces=result["index"]["faces"],
            pack=result["index"]["pack"],
            reliable=result["reliable"],
            groups=tuple(groups),
            truncated=result["truncated"],
            receipt=self.record.ledger.receipt(row.result_seq).as_json(),
            handle=handle,
            handle_until=moments.from_row(row.handle_until),
            demo=self.demo,
        )

    def crop(self, search: str, handle: str, sighting: int) -> bytes:
        """The crop of one candidate (JPEG). Raises NoAuthority, UnknownThing."""
        self._open(search, handle)
        name = self._candidate(search, sighting).row.crop
        content = self.blobs.get(name) if name else None
        if content is None:
            raise UnknownThing("there is no crop of this sighting")
        return content

    def open_picture(self, search: str, handle: str, sighting: int, actor: Actor) -> OpenedPicture:
        """The whole picture of one candidate. Opening it is an entry, durable before anything is shown."""
        with self.showing():
            self._open(search, handle)
            found = self._candidate(search, sighting)
            row = found.row
            with self.record.database.read() as c:
                pages = tuple(_page(s) for s in sightings_of_image(c, row.image_id, found.face_id))
            self.record.enter(
                "picture.opened",
                actor,
                {"search": search, "sighting": f"sighting:{sighting}"},
                sealed={f"sighting:{sighting}": {"page": row.page, "image": row.address}},
            )
        data, why = self._bytes_of(found)
        if data is None:
            return OpenedPicture(None, MEDIA_TYPE, row.width, row.height, _box(row, 1.0), pages, why)
        picture = decode(data, self.limits, side=PICTURE_SIDE)
        scale = min(1.0, PICTURE_SIDE / max(row.width, row.height))
        return OpenedPicture(
            content=thumbnail(picture.pixels, PICTURE_SIDE),
            media_type=MEDIA_TYPE,
            width=round(row.width * scale),
            height=round(row.height * scale),
            box=_box(row, scale),
            pages=pages,
            why_missing=None,
        )

    def export(self, search: str, handle: str, recipient: str, purpose: str, actor: Actor) -> bytes:
        """The result, its crops and its receipt in one zip file for a named recipient. Raises BadInput, NoAuthority."""
        if not recipient.strip():
            raise BadInput("a disclosure names its recipient", advice="say who will receive the export")
        if not purpose.strip():
            raise BadInput("a disclosure has a purpose", advice="say what the recipient will use the export for")
        result = self._to_disclose(self.shown(search, handle))
        note = disclosed_note(search)
        sightings = [s for g in result.groups for s in g.sightings]
        receipt = self.record.enter(
            "search.disclosed",
            actor,
            {"search": search, "recipient": recipient, "sightings": [f"sighting:{s.id}" for s in sightings]},
            sealed={note: {"purpose": purpose}},
        )
        body = result.as_json() | {
            "disclosure": {"recipient": recipient, "purpose": purpose, "receipt": receipt.as_json()}
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("search.json", json.dumps(body, ensure_ascii=False, indent=2))
            archive.writestr("receipt.json", json.dumps(result.receipt, indent=2))
            archive.writestr("READ-ME.txt", _READ_ME)
            for s in sightings:
                name = self._candidate(search, s.id).row.crop
                crop = self.blobs.get(name) if name else None
                if crop is not None:
                    archive.writestr(f"crops/sighting-{s.id}.jpg", crop)
        return buffer.getvalue()

    def _to_disclose(self, result: SearchResult) -> SearchResult:
        """What may leave the house: in an organisation the candidates that two people took for the same person."""
        if not self.record.profile.two_people:
            return result
        judged = self.outcomes(result.search)
        groups = tuple(
            replace(group, sightings=kept)
            for group in result.groups
            if (kept := tuple(one for one in group.sightings if judged.get(one.id) == SAME))
        )
        if not groups:
            raise Refused(
                "nothing of this search may be disclosed: no candidate was judged the same person by two people",
                advice="ask for a review of the candidate first: countenance review open",
            )
        return replace(result, groups=groups)

    def _open(self, search: str, handle: str) -> Row[Any]:
        with self.record.database.read() as c:
            row = searches.by_handle(c, search, handle, now=moments.now())
        if row is None:
            raise NoAuthority(
                "this search is not open, or no longer",
                advice="what a search showed can be opened for a limited time; search again under an authority",
                details={"reason": "handle"},
            )
        if authorise.withdrawn(self.record, row.authority_id):
            raise NoAuthority(
                "the authority of this search was revoked: what it showed is closed",
                advice="search again under another authority",
                details={"reason": "revoked"},
            )
        return row

    def _candidate(self, search: str, sighting: int) -> SightingRow:
        with self.record.database.read() as c:
            if sighting not in {row.sighting_id for row in searches.candidates_of(c, search)}:
                raise UnknownThing("this search did not show that sighting")
            found = sightings_by_id(c, [sighting])
        if not found or sighting in restricted(self.record):
            raise UnknownThing("this sighting has been erased")
        return found[0]

    def _bytes_of(self, found: SightingRow) -> tuple[bytes | None, str | None]:
        """The picture's bytes: kept, or still in its folder and unchanged."""
        row = found.row
        if row.original is not None:
            data = self.blobs.get(row.original)
            return data, None if data is not None else "the kept picture is missing"
        if row.source_kind != "folder":
            return None, "the source does not keep pictures; open its page instead"
        path = Path(urllib.parse.unquote(urllib.parse.urlsplit(row.address).path, errors="surrogateescape"))
        try:
            data = read_file(path, self.limits)
        except UnreadableImage as error:
            return None, f"the file is no longer readable: {error}"
        if hashlib.sha256(data).digest() != row.digest:
            return None, "the file has changed since it was indexed"
        return data, None


def _page(s: SightingRow) -> dict[str, Any]:
    body = shown(s, 0.0).as_json()
    return {name: body[name] for name in ("source", "page", "image", "title", "first_seen", "last_seen", "vanished")}


def _box(row: Any, scale: float) -> tuple[int, int, int, int]:
    return round(row.x * scale), round(row.y * scale), round(row.w * scale), round(row.h * scale)


_READ_ME = """These are candidates, never identities: pictures that look alike, for a person to judge.

search.json   what was shown, with how many strangers one should expect to look at least this alike
receipt.json  the proof that this search is in the operator's ledger; check it with the operator's public key
crops/        the faces
"""
