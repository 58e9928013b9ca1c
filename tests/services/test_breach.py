"""Somebody else had an account, a token or a file: what was exposed is told in numbers, and the telling is an entry."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, RoleMissing, UnknownThing, UnreadableImage
from countenance.ledger.note import VerifierKey
from countenance.ledger.receipt import verify_receipt
from countenance.ledger.verify import verify_bundle
from countenance.reports import breach as paper
from countenance.services.backup import To, back_up
from countenance.services.breach import Asked
from countenance.services.keys import export_keys
from countenance.store import moments
from tests.places import TESTER, Place, ask, grant, kinds
from tests.services.test_retention import PROBE
from tests.teams import HERE, PASSWORD, team_at

PASS = "copper lantern drives slowly"


def pack(product: Countenance, **what: Any) -> dict[str, Any]:
    since = what.pop("since", moments.now() - timedelta(hours=1))
    return product.breaches.pack(Asked(since, **what), TESTER)


def test_what_an_account_did_saw_and_handed_out_in_the_time(product: Countenance) -> None:
    before = ask(product, grant(product, "album"), PROBE)
    since = moments.now()
    result = ask(product, grant(product, "album", "wall"), PROBE, min_likeness=0.5)
    shown = [s.id for g in result.groups for s in g.sightings]
    with suppress(UnreadableImage):  # of a pretend photograph; that it was opened is an entry all the same
        product.open_picture(result.search, result.handle, shown[0], TESTER)
    product.export_search(result.search, result.handle, "A Friend", "none of theirs", TESTER)
    until = moments.now()
    ask(product, grant(product, "album"), PROBE)
    product.eraser.erase(product.eraser.plan_sightings([shown[-1]]), TESTER)
    size = product.ledger_size
    body = pack(product, since=since, until=until, users=("os:tester",))
    assert kinds(product)[size:] == ["oversight.read"]
    (one,) = body["accounts"]
    assert [s["search"] for s in one["searches"]] == [result.search]
    assert before.search not in json.dumps(body)
    assert one["sightings_shown"] == len(shown)
    assert len(one["pictures_opened"]) == 1
    assert [(g["what"], g["recipient"]) for g in one["handed_out"]] == [(result.search, "A Friend")]
    assert one["collections_searched"] == ["album", "wall"]
    affected = body["affected"]
    assert (affected["sightings"], affected["erased_since"]) == (len(shown), 1)
    assert affected["sources"] == ["album", "wall"]
    assert since.isoformat()[:19] <= affected["first_shown"][:19] <= until.isoformat()[:19]
    assert "none of theirs" not in json.dumps(body), "what is sealed stays sealed"


def test_the_deadline_is_72_hours_after_becoming_aware(product: Countenance) -> None:
    aware = moments.now() - timedelta(hours=80)
    body = pack(product, users=("os:tester",), aware=aware)
    assert body["deadline"] == (aware + timedelta(hours=72)).isoformat()
    assert body["hours_left"] == pytest.approx(-8, abs=0.1)


def test_signing_in_what_lives_on_and_what_was_done_about_it(place: Place) -> None:
    team = team_at(place)
    product, admin, auditor = team.product, team.actor("administrator"), team.actor("auditor")
    since = moments.now()
    with pytest.raises(Exception, match="did not open"):
        product.people.door.by_password("requester", "not it at all, friend", None, HERE)
    product.people.door.by_password("requester", PASSWORD, None, HERE)
    secret = team.token("requester", "authorities:read")
    assert secret
    (token,) = product.tokens(admin)
    until = moments.now()
    asked = Asked(since, until, users=("requester",), tokens=(token.id,))
    body = product.breaches.pack(asked, auditor)
    (one,) = body["accounts"]
    assert [g["type"] for g in one["signing_in"]] == ["session.refused", "session.begun", "token.created"]
    assert one["name"] == "requester"
    assert "authorities and requests, with cases, purposes and reasons" in one["readable_without_entry"]
    todo = " ".join(body["notice"]["measures_open"])
    assert f"token revoke {token.id}" in todo
    assert "user disable" in todo
    product.people.disable("requester", admin)
    product.revoke_token(token.id, admin)
    after = product.breaches.pack(asked, auditor)
    assert [m["type"] for m in after["accounts"][0]["measures"]] == ["people.disabled"]
    assert [m["type"] for m in after["tokens"][0]["measures"]] == ["token.revoked"]
    assert "user disable" not in " ".join(after["notice"]["measures_open"])
    for role in ("administrator", "authoriser", "reviewer"):
        with pytest.raises(RoleMissing):
            product.breaches.pack(asked, team.actor(role))


def test_acts_through_a_token_are_the_tokens(product: Countenance) -> None:
    token, _ = product.create_token("camera", ["search"], None, TESTER)
    authority = grant(product, "album")
    ask(product, authority, PROBE)
    door = Actor("os:tester", f"token:{token.id}")
    from countenance.services.search import SearchRequest

    result = product.search(SearchRequest((PROBE,), authority.id), door)
    (one,) = pack(product, tokens=(token.id,))["tokens"]
    assert [s["search"] for s in one["searches"]] == [result.search]


@pytest.mark.sqlite
def test_each_file_says_what_it_exposes_and_what_else_is_needed(house: Place, tmp_path: Path) -> None:
    with house.open() as product:
        result = ask(product, grant(product, "album"), PROBE)
        (tmp_path / "export.zip").write_bytes(
            product.export_search(result.search, result.handle, "A Court", "evidence", TESTER)
        )
        back_up(product._home, tmp_path / "monday.age", To(PASS), TESTER)
        export_keys(product.key_ring, tmp_path / "keys.json", TESTER)
        (tmp_path / "bundle.zip").write_bytes(product.ledger_bundle(TESTER))
        files = (
            tmp_path / "export.zip", tmp_path / "monday.age", tmp_path / "keys.json", tmp_path / "bundle.zip",
            house.home / "countenance.db", house.home / "vectors", house.home / "blobs", product.key_folder,
            house.home,
        )  # fmt: skip
        body = pack(product, files=tuple(map(str, files)))
        found = [(one["kind"], one["counts"]) for one in body["files"]]
        assert [kind for kind, _ in found] == [
            "export", "backup", "keys", "ledger", "database", "vectors", "crops", "keys", "home",
        ]  # fmt: skip
        counts = {kind: count for kind, count in found if kind != "keys"}
        assert counts["database"]["sources"] == 2
        assert counts["database"]["faces"] == counts["backup"]["faces"] > 0
        assert counts["export"]["pictures"] == len(result.groups)
        assert counts["ledger"]["entries"] <= product.ledger_size
        assert counts["vectors"]["templates at most"] > 0
        assert counts["crops"]["files"] > 0
        said = {one["kind"]: one for one in body["files"]}
        assert "passphrase" in said["backup"]["needs"]
        assert any("without the keys" in note for note in said["backup"]["notes"])
        assert said["database"]["protected"] == "not encrypted"
        # Of a copy that is not at hand its kind is enough.
        assert pack(product, files=("database",))["files"][0]["counts"] == counts["database"]
        (tmp_path / "letter.txt").write_text("dear all")
        for wrong in ("nowhere.db", str(tmp_path / "letter.txt")):
            with pytest.raises(BadInput):
                pack(product, files=(wrong,))


@pytest.mark.sqlite
def test_another_homes_files_are_told_apart(house: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    other.photos.mkdir(parents=True)
    with other.open():
        pass
    with house.open() as product:
        body = pack(product, files=(str(other.home / "countenance.db"),))
    assert body["files"][0]["notes"] == ["It is the database of another home."]
    assert body["files"][0]["counts"]["sources"] == 0


def test_nothing_is_asked_without_a_purpose_a_time_and_something_that_is_there(product: Countenance) -> None:
    size = product.ledger_size
    now = moments.now()
    for wrong in (
        {},
        {"users": ("os:tester",), "purpose": "curiosity"},
        {"users": ("os:tester",), "since": now, "until": now},
        {"users": ("nobody",)},
        {"tokens": ("token-0",)},
    ):
        with pytest.raises((BadInput, UnknownThing)):
            pack(product, **wrong)
    assert product.ledger_size == size


def test_the_pack_has_the_report_the_data_and_the_receipt(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    body = pack(product, users=("os:tester",), files=("vectors",))
    receipt = product.receipt(body["read"])
    size = product.ledger_size
    extract = product.breaches.extract(body, TESTER)
    assert kinds(product)[size:] == ["ledger.exported"]
    once, again = (paper.as_zip(body, receipt, extract) for _ in range(2))
    assert once == again
    with zipfile.ZipFile(io.BytesIO(once)) as archive:
        assert archive.namelist() == ["breach.pdf", "breach.json", "receipt.json", "ledger.zip"]
        assert archive.read("breach.pdf").startswith(b"%PDF-")
        assert json.loads(archive.read("breach.json"))["affected"]["searches"] == 1
        entry = verify_receipt(archive.read("receipt.json"), product.vkey)
        bundle = archive.read("ledger.zip")
    assert (entry.kind, entry.body["what"]) == ("oversight.read", "breach")
    assert result.search in json.dumps(body)
    report = verify_bundle(io.BytesIO(bundle), key=VerifierKey.parse(product.vkey)).as_json()
    assert report["asked"] == {"entries": f"those that reading {body['read']} lists"}
    assert report["size"] == product.ledger_size
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        given = [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]
    assert [one["seq"] for one in given] == body["listed"]
    # All that the account did in the time and the reading itself, and nothing of anybody else's.
    mine = [
        e["seq"]
        for e in product.ledger_entries(0, body["read"] + 1)
        if e["actor"]["authenticated"] == "os:tester" and e["seq"] <= body["read"]
    ]
    assert body["listed"] == mine
    assert len(mine) < body["read"] + 1


def test_a_pack_is_kept_for_whoever_made_it(product: Countenance) -> None:
    body = pack(product, users=("os:tester",))
    assert product.breaches.made(body["read"], TESTER) == body
    with pytest.raises(UnknownThing):
        product.breaches.made(body["read"], Actor("os:another", "python"))


def test_what_says_which_roles_and_scopes_there_were_is_listed_however_old(place: Place) -> None:
    team = team_at(place)
    product, admin, auditor = team.product, team.actor("administrator"), team.actor("auditor")
    product.people.link("requester", admin, system_user="rita")
    product.people.set_roles("requester", ["authoriser"], admin)
    team.token("authoriser", "authorities:read")
    (token,) = product.tokens(admin)
    made = {kind: n for n, kind in enumerate(kinds(product))}
    asked = Asked(moments.now(), moments.now() + timedelta(hours=1), users=("requester",), tokens=(token.id,))
    body = product.breaches.pack(asked, auditor)
    assert body["accounts"][0]["roles"] == ["authoriser", "requester"]
    rests_on = {made["people.system-user-linked"], made["people.roles-changed"], made["token.created"]}
    assert set(body["listed"]) == {team.account("requester").entry, *rests_on, body["read"]}


def test_nobody_is_aware_of_what_is_to_come(product: Countenance) -> None:
    size = product.ledger_size
    with pytest.raises(BadInput):
        pack(product, users=("os:tester",), aware=moments.now() + timedelta(hours=1))
    assert product.ledger_size == size
