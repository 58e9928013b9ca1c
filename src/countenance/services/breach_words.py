"""What a breach comes to, in words for a notice: its nature, whom it touches, what may follow, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HOW_TO_READ = (
    "Numbers are of sightings, faces and pictures. How many people that are, the program does not know: several faces "
    "may be one person's. What was looked at on a page that leaves no entry is listed as readable."
)
"""What the numbers mean."""


def notice(body: dict[str, Any]) -> dict[str, Any]:
    """The parts that GDPR article 33(3) asks for, and what speaks for telling the people themselves (article 34)."""
    return {
        "nature": list(_nature(body)),
        "categories": list(_categories(body)),
        "numbers": list(_numbers(body)),
        "consequences": list(_consequences(body)),
        "measures_taken": list(_taken(body)),
        "measures_open": list(_open(body)),
        "people_told": _told(body),
        "how_to_read": HOW_TO_READ,
    }


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _suspects(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [*body["accounts"], *body["tokens"]]


def _nature(body: dict[str, Any]) -> Iterator[str]:
    period = f"from {body['period']['from'][:16]} to {body['period']['to'][:16]}"
    for one in body["accounts"]:
        yield f"The account {one['name']} may have been used by somebody else {period}: {one['entries']:,} acts."
    for one in body["tokens"]:
        whose = f"{one['id']} of {one['name']}"
        yield f"The token {whose} may have been used by somebody else {period}: {one['entries']:,} acts."
    for one in body["files"]:
        since = f", last written {one['since'][:16]}" if one["since"] else ""
        what = "of this home" if one["file"] == one["kind"] else f"of {one['file']}"
        yield f"A copy {what} ({one['kind']}{since}) may be in other hands. It is {one['protected']}."


def _categories(body: dict[str, Any]) -> Iterator[str]:
    found: dict[str, None] = {}
    for one in _suspects(body):
        if one["sightings_shown"]:
            found["pictures of faces, where they were seen, and how alike to a photograph (biometric data)"] = None
        if one["searches"]:
            found["that somebody was looked for, when and under which authority"] = None
        for what in one["readable_without_entry"]:
            found[f"readable without an entry: {what}"] = None
        if one["unmasked"]:
            found["who somebody in a proxy's log was"] = None
        if one["pairs_reviewed"]:
            found["pairs of faces that were judged"] = None
    for one in body["files"]:
        for what in one["holds"]:
            found[what] = None
    yield from found


def _numbers(body: dict[str, Any]) -> Iterator[str]:
    shown = body["affected"]
    if shown["sightings"]:
        at = f"between {shown['first_shown'][:16]} and {shown['last_shown'][:16]}"
        parts = (
            _many(shown["faces"], "face"),
            _many(shown["pictures"], "picture"),
            _many(len(shown["sources"]), "source"),
        )
        gone = f"{shown['erased_since']:,} erased since" if shown["erased_since"] else "none erased since"
        yield f"{_many(shown['sightings'], 'sighting')} shown {at}: {parts[0]}, {parts[1]}, {parts[2]}; {gone}."
    if _suspects(body):
        many = _many(shown["searches"], "search", "searches")
        yield f"{many} made: at most so many people were looked for."
    for one in _suspects(body):
        if one["pictures_opened"]:
            yield f"{_many(len(one['pictures_opened']), 'picture')} opened whole by {one['name']}."
        for given in one["handed_out"]:
            to = f" to {given['recipient']}" if given["recipient"] else ""
            yield f"Handed out{to} on {given['at'][:16]}: {given['what']} (entry {given['entry']})."
    for one in body["files"]:
        counts = ", ".join(f"{name} {count:,}" for name, count in one["counts"].items() if count)
        yield f"{one['file']}: {counts or 'nothing that could be counted'}."


def _consequences(body: dict[str, Any]) -> Iterator[str]:
    kinds = {one["kind"] for one in body["files"]}
    faces = body["affected"]["sightings"] or kinds & {"crops", "export", "home", "backup"}
    if faces:
        yield "Whoever saw the faces may recognise people, or look for them on sites that search faces."
    if body["affected"]["sightings"] or kinds & {"database", "home", "backup", "export"}:
        yield "The addresses of pages may show where somebody was, with whom, and under which name."
    if body["affected"]["searches"] or kinds & {"ledger", "home", "backup"}:
        yield "That somebody was searched for may become known, to them or to others, and harm both."
    if kinds & {"vectors", "home", "backup"}:
        yield (
            "A template whose key is known as well can be compared with any face and turned into one that can be "
            "recognised, and cannot be changed as a password can."
        )
    if "keys" in kinds:
        yield "Entries signed from now on could be forged, and templates be read by whoever has the files as well."
    if any(one["handed_out"] for one in _suspects(body)):
        yield "What was handed out cannot be called back by this program; its recipients have it."
    if any(one["changed"] for one in _suspects(body)):
        yield "Sources, authorities or settings were changed in this time: what rests on them may be wrong."


def _taken(body: dict[str, Any]) -> Iterator[str]:
    for one in _suspects(body):
        for done in one["measures"]:
            yield f"{done['type'].replace('.', ' ').replace('-', ' ')} on {done['at'][:16]} (entry {done['entry']})"


def _open(body: dict[str, Any]) -> Iterator[str]:
    for one in body["accounts"]:
        done = {m["type"] for m in one["measures"]}
        if one["user"].startswith("user:") and not done & {"people.disabled", "people.reset"}:
            yield f"Close or reset the account: countenance user disable {one['id']}, or user reset {one['id']}."
        made = [g["token"] for g in one["signing_in"] if g["type"] == "token.created"]
        for token in made:
            yield f"A token was made in this time and works on: countenance token revoke {token}, unless it was."
        added = [g for g in one["signing_in"] if g["type"] in ("people.factor-added", "people.password-set")]
        if added:
            yield "A password, authenticator or passkey was set in this time: a reset takes it away."
    for one in body["tokens"]:
        if not any(m["type"] == "token.revoked" for m in one["measures"]):
            yield f"Revoke the token: countenance token revoke {one['id']}."
    for one in _suspects(body):
        authorities = sorted({s["authority"] for s in one["searches"] if s.get("authority")})
        if authorities:
            yield f"Look at the authorities that were used, and revoke what is live: {', '.join(authorities[:10])}."
    kinds = {one["kind"] for one in body["files"]}
    if kinds & {"vectors", "home", "backup", "keys"}:
        yield "Replace the key of the templates: countenance keys rotate templates. Old copies keep the old one."
    if "keys" in kinds:
        yield "Replace the signing key: countenance keys rotate ledger; send overseers a checkpoint from before."
    if kinds & {"database", "home", "backup"}:
        yield "Reset accounts: hashed passwords can be guessed at leisure."
    yield "Keep what is needed as evidence: countenance hold place."
    yield "Give the authority the entries that this rests on, with their proofs: ledger.zip in the pack (a zip)."


def _told(body: dict[str, Any]) -> str:
    faces = body["affected"]["sightings"] or any(one["kind"] in ("crops", "home", "export") for one in body["files"])
    if faces:
        return (
            "Faces were exposed, which are biometric data: a high risk is likely, and then the people are told too "
            "(GDPR article 34), as far as the operator knows who they are. A person decides that, not the program."
        )
    return "Whether the people have to be told (GDPR article 34) depends on the risk; a person decides that."
