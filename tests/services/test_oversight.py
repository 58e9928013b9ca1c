"""The overseer reads real ledgers: acts, traits, probes compared, and each reading an entry before it is one."""

from __future__ import annotations

import ast
import io
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import countenance
from countenance.app import Countenance
from countenance.domain.errors import BadInput, Broken, CountenanceError, UnreadableImage
from countenance.domain.requests import Wanted
from countenance.ledger.entry import parse_time
from countenance.ledger.log import Ledger
from countenance.services import compare_probes
from countenance.services.oversight import BEGINNING, Asked
from countenance.services.paperwork import item_of
from countenance.services.probe_traits import traits_of
from countenance.services.recall import Recall
from countenance.services.retention import run_retention
from countenance.store import items, moments
from tests import pretend
from tests.places import TESTER, Place, ask, grant, kinds
from tests.services.test_request import REASONS

PROBE = pretend.photograph("ada", note="asked")
WHY = Asked("lawfulness")


def everything(product: Countenance, **more: Any) -> Any:
    return Recall().acts(product._home.record, BEGINNING, moments.now() + timedelta(minutes=1), **more)


def test_acts_are_what_was_done(product: Countenance) -> None:
    authority = grant(product, "album", case="C-9", purpose="to find ada")
    result = ask(product, authority, PROBE)
    sighting = result.groups[0].sightings[0].id
    with suppress(UnreadableImage):  # pretend pictures do not decode; the entry comes first
        product.open_picture(result.search, result.handle, sighting, TESTER)
    product.export_search(result.search, result.handle, "the court", "a trial", TESTER)
    product.revoke(authority.id, TESTER)
    with pytest.raises(CountenanceError):
        ask(product, authority, PROBE)
    acts = everything(product)
    (one,) = acts.searches
    assert (one.case, one.purpose, one.who, one.self_approved) == ("C-9", "to find ada", TESTER.user, True)
    assert one.shown is not None
    assert one.shown.groups == len(result.groups)
    assert [(d.kind, d.words) for d in one.deeds] == [("opened", ""), ("exported", "the court")]
    assert [r.reason for r in acts.refusals] == ["revoked"]
    assert one.traits == ()


def test_a_time_bounds_the_searches_and_not_what_they_rest_on(product: Countenance) -> None:
    authority = grant(product, "album", case="C-9")
    ask(product, authority, PROBE)
    between = moments.now()
    second = ask(product, authority, PROBE)
    after = moments.now()
    product.export_search(second.search, second.handle, "the court", "a trial", TESTER)
    acts = Recall().acts(product._home.record, between, after)
    assert [one.search for one in acts.searches] == [second.search]
    assert acts.searches[0].case == "C-9"
    assert [d.kind for d in acts.searches[0].deeds] == ["exported"]


def test_going_on_reading_finds_what_reading_anew_finds(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what a search rests on from before the time, and what was opened, which is not kept."""

    def first_at(ledger: Ledger, moment: datetime, size: int) -> int:
        """To the moment: what is older by less than a day is otherwise read too."""
        return next((one.seq for one in ledger.entries() if parse_time(one.at) >= moment), size)

    monkeypatch.setattr("countenance.services.recall.first_at", first_at)
    record, recall = product._home.record, Recall()
    wanted = Wanted("to find ada", "own", "C-9", ("album",), moments.now() + timedelta(days=1), 3, "a lead", "A Tester")
    before = grant(product, "album", case="C-1")
    asked = product.requests.ask(wanted, REASONS, TESTER)
    since = moments.now()

    def same(*, opened: bool) -> Any:
        until = moments.now()
        went_on, anew = (
            recall.acts(record, since, None, opened=opened),
            Recall().acts(record, since, None, opened=opened),
        )
        assert replace(went_on, until=until) == replace(anew, until=until)
        return went_on

    assert same(opened=False).grants == ()
    ask(product, before, PROBE)
    assert [one.case for one in same(opened=True).searches] == ["C-1"]
    approved = product.requests.approve(asked.id, TESTER)
    assert [one.reasons for one in same(opened=True).grants] == [(), (REASONS.necessity, REASONS.proportionality)]
    assert [one.reasons for one in same(opened=False).grants] == [(), ()]
    result = ask(product, approved, PROBE)
    product.export_search(result.search, result.handle, "the court", "a trial", TESTER)
    product.requests.close_case("C-9", TESTER)
    with pytest.raises(CountenanceError):
        ask(product, before, b"no photograph")
    product.revoke(before.id, TESTER)
    with pytest.raises(CountenanceError):
        ask(product, before, PROBE)
    found = same(opened=False)
    assert ([one.case for one in found.searches], [one.case for one in found.closed]) == (["C-1", "C-9"], ["C-9"])
    assert len(found.refusals) == 1
    # Another time in between takes its place.
    assert recall.acts(record, since, moments.now()).searches == found.searches
    assert same(opened=True).searches[1].deeds[0].words == "the court"


def test_reasons_are_opened_for_whoever_reads_signs_and_for_nobody_else(product: Countenance) -> None:
    wanted = Wanted("to find ada", "own", "C-9", ("album",), moments.now() + timedelta(days=1), 3, "a lead", "A Tester")
    near = product.requests.ask(wanted, REASONS, TESTER)
    product.requests.approve(near.id, TESTER)
    (closed,), (opened,) = everything(product).grants, everything(product, opened=True).grants
    assert (closed.request, closed.reasons) == (near.id, ())
    assert opened.reasons == (REASONS.necessity, REASONS.proportionality)
    product.oversight.flags(WHY, TESTER)
    assert product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]["body"]["opened"] is True
    with product.database.write() as c:
        items.destroy(c, [item_of(near.id)])
    assert everything(product, opened=True).grants[0].reasons == ()


def test_traits_are_sealed_and_go_with_the_probe(product: Countenance) -> None:
    result = ask(product, grant(product, "album"), PROBE)
    raw = b"".join(path.read_bytes() for path in (product.home / "ledger").rglob("*") if path.is_file())
    assert b"aspect" not in raw
    (trait,) = everything(product, opened=True).searches[0].traits
    assert (trait.format, trait.faces, trait.screenshot) == ("png", 1, False)
    with product.database.write() as c:
        c.exec_driver_sql("UPDATE searches SET keep_until = 1 WHERE id = ?", (result.search,))
    run_retention(product.eraser, TESTER, product.settings)
    assert everything(product, opened=True).searches[0].traits == ()
    product.ledger_verify()


def test_probes_of_one_face_get_one_label(product: Countenance) -> None:
    cases = {"C-1": ("ada", "bob", "cyd", "dan", "eve", "fay"), "C-2": ("ada",), "C-3": ("ada",)}
    for case, people in cases.items():
        authority = grant(product, "album", case=case)
        for person in people:
            ask(product, authority, pretend.photograph(person, note=f"{person} {case}"))
    body = product.oversight.flags(WHY, TESTER)
    found = {flag["rule"]: flag for flag in body["flags"]}
    assert found["face-under-many-cases"]["cases"] == ["C-1", "C-2", "C-3"]
    assert found["case-over-unlike-faces"]["cases"] == ["C-1"]
    assert len(found["case-over-unlike-faces"]["entries"]) == 6
    said = product.ledger_entries(body["read"], product.ledger_size)
    assert [e["type"] for e in said] == ["oversight.read", "probes.compared"]
    assert {e["body"]["purpose"] for e in said} == {"lawfulness"}
    assert said[1]["body"]["searches"] == 8


def test_an_erased_probe_is_compared_no_more(product: Countenance) -> None:
    for case in ("C-1", "C-2", "C-3"):
        ask(product, grant(product, "album", case=case), pretend.photograph("ada", note=case))
    assert "face-under-many-cases" in {f["rule"] for f in product.oversight.flags(WHY, TESTER)["flags"]}
    with product.database.write() as c:
        c.exec_driver_sql("DELETE FROM item_keys WHERE item LIKE 'probe:%'")
    body = product.oversight.flags(WHY, TESTER)
    assert "face-under-many-cases" not in {f["rule"] for f in body["flags"]}
    assert "no probe is kept any longer" in {s["why"] for s in body["silent"]}


def test_without_a_lawful_purpose_nothing_is_read(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(product, grant(product, "album"), PROBE)
    before = kinds(product)
    with pytest.raises(BadInput, match="four purposes"):
        product.oversight.flags(Asked("curiosity"), TESTER)
    assert kinds(product) == before


def test_no_entry_no_reading(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the entry: no probe is opened, no act told."""
    ask(product, grant(product, "album"), PROBE)
    opened: list[object] = []
    monkeypatch.setattr(compare_probes, "_open", lambda *a: opened.append(a))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(product._home.record.ledger._book.folder), "write", full)
    with pytest.raises(CountenanceError):
        product.oversight.flags(WHY, TESTER)
    with pytest.raises(CountenanceError):
        compare_probes.compare_probes(
            product._home.record,
            everything(product).searches,
            product.engine.calibration,
            compare_probes.Sameness(),
            "lawfulness",
            TESTER,
        )
    assert opened == []


def test_only_three_modules_know_how_probes_are_sealed() -> None:
    """Who seals them, who re-protects them when the key changes, and who compares them with an entry."""
    package = Path(countenance.__file__).parent
    users = set()
    for path in package.rglob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        if "PROBE" in names:
            users.add(path.relative_to(package).as_posix())
    assert users == {"services/permit.py", "services/keys.py", "services/compare_probes.py"}


def test_summary_counts(product: Countenance) -> None:
    authority = grant(product, "album", "wall", case="C-9", purpose="to find ada")
    ask(product, authority, PROBE)
    ask(product, authority, pretend.photograph("zoe"))
    body = product.oversight.summary(WHY, TESTER)
    assert (body["searches"], body["people"], body["cases"], body["self_approved"]) == (2, 1, 1, 2)
    assert body["by_purpose"] == {"to find ada": 2}
    assert body["led_anywhere"]["with_candidates"] == 1
    assert body["by_collection"] == {"album": 2, "wall": 2}


def test_the_commands(house: Place) -> None:
    with house.open() as product:
        ask(product, grant(product, "album"), PROBE)
    refused = house.command("oversee", "flags", "--purpose", "curiosity", "--json")
    assert refused.code == 2
    assert "lawfulness" in refused.json["error"]["advice"]
    flags = house.command("oversee", "flags", "--purpose", "lawfulness", "--since", "30d", "--json")
    assert flags.code == 0, flags.err
    assert flags.json["searches"] == 1
    with house.open() as product:
        for case in ("C-2", "C-3"):
            ask(product, grant(product, "album", case=case), pretend.photograph("ada", note=case))
    told = house.command("oversee", "flags", "--purpose", "lawfulness")
    assert told.code == 0, told.err
    assert "one face under" in told.out
    assert "2 matters: 0 urgent, 1 for a person to look at, 1 that can wait for a sample." in told.out
    words = house.command("oversee", "summary", "--purpose", "integrity")
    assert words.code == 0, words.err
    assert "By whom" in words.out


# Traits


def picture(width: int, height: int, format: str, exif: Image.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(buffer, format, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


def traits(data: bytes, width: int, height: int, share_side: float = 100) -> Any:
    face = pretend.faces({"people": ["ada"], "note": ""})[0]
    box = type(face.box)(0, 0, share_side, share_side)
    return traits_of(data, width, height, 1, type(face)(box, face.landmarks, face.quality, face.template))


def camera(lens: str = "") -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0110] = "Telephone 1"
    if lens:
        exif.get_ifd(0x8769)[0xA434] = lens
    return exif


@pytest.mark.parametrize(
    ("width", "height", "format", "exif", "screenshot"),
    [
        (1170, 2532, "PNG", None, True),
        (1920, 1200, "PNG", None, True),
        (1170, 2532, "JPEG", None, True),
        (1170, 2532, "JPEG", camera(), False),
        (1170, 2531, "PNG", None, False),
        (1920, 1080, "PNG", None, False),  # a frame of a film as likely
        (1080, 1920, "PNG", None, True),
        (1080, 1920, "JPEG", None, False),
    ],
)
def test_a_screenshot(width: int, height: int, format: str, exif: Any, screenshot: bool) -> None:
    assert traits(picture(width, height, format, exif), width, height).screenshot is screenshot


def test_a_selfie() -> None:
    front = picture(300, 400, "JPEG", camera("Telephone 1 front camera 2.7mm f/1.9"))
    back = picture(300, 400, "JPEG", camera("Telephone 1 back camera"))
    assert traits(front, 300, 400).selfie
    assert not traits(back, 300, 400).selfie
    assert traits(back, 300, 400, share_side=200).selfie
    assert not traits(picture(300, 400, "JPEG"), 300, 400, share_side=200).selfie


@pytest.mark.parametrize("junk", [b"", b"\xff\xd8\xff" + b"Exif\0\0" + b"II*\0" + b"\xff" * 40, b"Exif\0\0"])
def test_damaged_exif_is_none(junk: bytes) -> None:
    assert not traits(junk, 10, 10).camera


def test_flags_are_json(product: Countenance) -> None:
    json.dumps(product.oversight.flags(WHY, TESTER))


def test_settings_that_bear_on_oversight_are_entered(place: Place) -> None:
    with place.open():
        pass
    shifts = {"os:ann": "mon-sun 19:00-07:00"}
    with place.open(oversee={"burst_least": 99, "shifts": shifts}) as product:
        (entry,) = [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "settings.changed"]
    assert {one["name"]: one["new"] for one in entry["body"]["changed"]} == {
        "oversee.burst_least": 99,
        "oversee.shifts": json.dumps(shifts),
    }


@pytest.mark.parametrize("text", ["mon-fri", "mon-fri 7-19", "xyz 07:00-19:00", "mon 25:00-26:00", ""])
def test_a_shift_that_is_none_is_said(place: Place, text: str) -> None:
    with place.open(oversee={"shift": text}) as product:
        before = product.ledger_size
        with pytest.raises(Broken, match=r"oversee\.shift"):
            product.oversight.flags(WHY, TESTER)
        assert product.ledger_size == before
