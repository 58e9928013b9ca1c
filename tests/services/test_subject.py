"""Somebody asks what is held and was done about them: all of it, nobody else's, and never without a receipt."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from threading import Thread
from typing import Any

import pytest
from pypdf import PdfReader

from countenance.app import Countenance, system_actor
from countenance.domain.errors import (
    BadInput,
    LedgerUnavailable,
    NoAuthority,
    OnHold,
    SeveralFaces,
    UnknownThing,
    UnreadableImage,
)
from countenance.ledger.log import Ledger
from countenance.reports.subject import as_pdf
from countenance.services.hold import NewHold
from countenance.services.lately import Kept
from countenance.services.search import SearchRequest
from countenance.services.subject import PARTS, SubjectRequest
from countenance.store import moments
from tests import pretend
from tests.places import TESTER, Answer, Place, grant, kinds

ADA, BOB = (pretend.photograph(name, note="who asks") for name in ("ada", "bob"))


def report(product: Countenance, photograph: bytes, **changes: Any) -> dict[str, Any]:
    authority = grant(product, "album", "wall", purpose="subject access")
    return product.subject_report(SubjectRequest((photograph,), authority.id, **changes), TESTER)


def searched(product: Countenance, photograph: bytes, purpose: str) -> Any:
    authority = grant(product, "album", "wall", purpose=purpose)
    return product.search(SearchRequest((photograph,), authority.id), TESTER)


def files(told: dict[str, Any]) -> list[str]:
    return sorted(one["image"].rsplit("/", 1)[1] for one in told["indexed"])


def test_it_tells_where_when_and_to_whom_and_of_nobody_else(product: Countenance) -> None:
    found = searched(product, pretend.photograph("ada", note="sought"), "find ada")
    searched(product, pretend.photograph("bob", note="sought"), "find bob")
    ada = found.groups[0].sightings[0]
    with pytest.raises(UnreadableImage):  # it is pretended; that it was opened is an entry all the same
        product.open_picture(found.search, found.handle, ada.id, TESTER)
    product.export_search(found.search, found.handle, "A Lawyer", "a notice", TESTER)
    told = report(product, ADA)
    assert files(told) == ["ada-1.png", "ada-2.png", "shared.png", "shared.png"]
    assert [one["purpose"] for one in told["sought"]] == ["find ada"]
    assert "find ada" in {one["purpose"] for one in told["shown"]}
    assert [one["purpose"] for one in told["opened"]] == ["find ada"]
    assert [one["recipient"] for one in told["disclosed"]] == ["A Lawyer"]
    assert told["complete"]
    assert TESTER.user not in str({part: told[part] for part in ("shown", "opened", "disclosed", "sought")})
    assert kinds(product)[-3:] == ["subject.started", "probes.compared", "subject.shown"]


def test_who_is_not_indexed_is_told_so(product: Countenance) -> None:
    told = report(product, pretend.photograph("zoe", note="who asks"))
    assert all(told[part] == [] for part in ("indexed", "shown", "opened", "disclosed", "sought"))


def test_it_goes_through_the_permit_and_spends_a_use(product: Countenance) -> None:
    authority = grant(product, "album", searches=1)
    asked = SubjectRequest((ADA,), authority.id)
    told = product.subject_report(asked, TESTER)
    assert {one["source"] for one in told["indexed"]} == {"album"}
    with pytest.raises(NoAuthority) as caught:
        product.subject_report(asked, TESTER)
    assert caught.value.details["reason"] == "spent"
    with product.database.write() as c:
        c.exec_driver_sql("UPDATE authorities SET used = 0 WHERE id = ?", (authority.id,))
    with pytest.raises(NoAuthority) as caught:
        product.subject_report(asked, TESTER)
    assert caught.value.details["reason"] == "not-in-ledger"


def test_what_is_kept_back_is_not_told_and_why_is_sealed(product: Countenance) -> None:
    with pytest.raises(BadInput, match="reason"):
        report(product, ADA, withheld={"sought": " "})
    with pytest.raises(BadInput, match="no part"):
        report(product, ADA, withheld={"everything": "because"})
    searched(product, pretend.photograph("ada", note="sought"), "find ada")
    told = report(product, ADA, withheld={"sought": "an inquiry would be prejudiced"})
    assert told["sought"] is None
    assert told["indexed"]
    (entry,) = product.ledger_entries(product.ledger_size - 1, product.ledger_size, opened=True)
    assert entry["body"]["withheld"] == ["sought"]
    assert "prejudiced" not in str(entry["body"])
    assert "prejudiced" in str(entry["opened"])


def test_no_receipt_no_report(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Ledger.append

    def append(self: Ledger, kind: str, *rest: Any) -> Any:
        if kind == "subject.shown":
            raise LedgerUnavailable("the disk is full")
        return real(self, kind, *rest)

    monkeypatch.setattr(Ledger, "append", append)
    with pytest.raises(LedgerUnavailable):
        report(product, ADA)


def test_it_never_guesses_whose_face_is_meant(product: Countenance) -> None:
    both = pretend.photograph("ada", "bob", note="who asks")
    with pytest.raises(SeveralFaces):
        report(product, both)
    assert set(files(report(product, both, face=2))) == {"bob.png", "both.png"}


def test_the_command_writes_a_page_that_a_person_can_read(house: Place) -> None:
    with house.open() as product:
        found = searched(product, pretend.photograph("ada", note="sought"), "find ada")
        product.export_search(found.search, found.handle, "A Lawyer", "a notice", TESTER)
        authority = grant(product, "album", "wall", holder=system_actor("command").user)
    house.opened.clear()
    photo = house.put("me.png", ADA)
    out = house.root / "report.pdf"
    words = ("subject-report", photo, "--authority", authority.id, "--out", out)
    answer: Answer = house.command(*words, "--withhold", "opened", "--reason", "an inquiry", "--json")
    assert answer.code == 0, answer.out
    assert answer.json["opened"] is None
    text = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(out).pages)
    assert "What is held about you" in text
    assert "ada-1.png" in text.replace(" ", "")
    assert "A Lawyer" in text
    assert "kept back" in text
    again = house.command(*words, "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "bad-input")
    first = answer.json["indexed"][0]
    shorter = house.command(*words[:-2], "--somebody-else", first["id"])
    assert "Where pictures of you are indexed" in shorter.out
    (row,) = (line for line in shorter.out.splitlines() if f"{first['id']} " in line)
    assert "somebody else" in row
    assert "file:" not in row


def test_whom_a_person_finds_to_be_somebody_else_is_told_no_further(product: Countenance) -> None:
    told = report(product, ADA, pictures=True)
    assert all("picture" in one for one in told["indexed"])
    first, second = told["indexed"][:2]
    with pytest.raises(UnknownThing, match="holds no"):
        product.correct_subject_report(told["report"], ["sighting-999"], TESTER)
    with pytest.raises(UnknownThing, match="no longer kept"):
        product.correct_subject_report("S-0000000000000000", [], TESTER)
    size = product.ledger_size
    assert product.correct_subject_report(told["report"], [], TESTER) == told
    assert product.ledger_size == size
    mended = product.correct_subject_report(told["report"], [first["id"]], TESTER)
    assert kinds(product)[size:] == ["subject.corrected"]
    assert first["page"] not in str([one for one in mended["indexed"] if one["id"] == first["id"]])
    assert next(one for one in mended["indexed"] if one["id"] == second["id"]) == second
    latest = product.latest_subject_report(told["report"], TESTER)
    assert latest == mended
    # Found to be the person after all: that is an entry too, and the report has it again.
    back = product.correct_subject_report(told["report"], [], TESTER)
    assert kinds(product)[size:] == ["subject.corrected", "subject.corrected"]
    assert back["indexed"] == product.latest_subject_report(told["report"], TESTER)["indexed"] == told["indexed"]
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(as_pdf(mended, PARTS))).pages)
    assert "Somebody else, whom the machine took for you" in " ".join(text.split())


def test_what_is_erased_or_waits_for_a_hold_is_in_no_kept_report(product: Countenance) -> None:
    told = report(product, ADA, pictures=True)
    first, second, *rest = told["indexed"]
    one, two = (int(it["id"].removeprefix("sighting-")) for it in (first, second))
    product.correct_subject_report(told["report"], [first["id"]], TESTER)
    product.eraser.erase(product.eraser.plan_sightings([one]), TESTER)
    assert product.latest_subject_report(told["report"], TESTER)["indexed"] == [second, *rest]
    # Whoever still has the page open names it once more; it is passed over, in the entry too.
    mended = product.correct_subject_report(told["report"], [first["id"], rest[0]["id"]], TESTER)
    assert [it["id"] for it in mended["indexed"]] == [it["id"] for it in (second, *rest)]
    (entry,) = product.ledger_entries(product.ledger_size - 1, product.ledger_size)
    assert entry["body"]["wrong"] == [f"sighting:{rest[0]['id'].removeprefix('sighting-')}"]
    product.holds.place(
        NewHold("a court asked", moments.now() + timedelta(days=9), sources=("album", "wall")), TESTER
    )  # fmt: skip
    with pytest.raises(OnHold):
        product.erase(product.eraser.plan_sightings([two]), TESTER)
    latest = product.latest_subject_report(told["report"], TESTER)
    assert [it["id"] for it in latest["indexed"]] == [it["id"] for it in rest]
    assert product.correct_subject_report(told["report"], [], TESTER)["indexed"] == rest


def test_of_two_corrections_at_once_the_last_entry_is_kept(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = report(product, ADA)
    first, second = (one["id"] for one in told["indexed"][:2])
    put, threads = Kept.put, []

    def slowly(self: Kept, *given: Any, **more: Any) -> None:
        if not threads:  # while the first is about to be kept, somebody corrects it once more
            again = (told["report"], [second], TESTER)
            threads.append(Thread(target=product.correct_subject_report, args=again))
            threads[0].start()
            threads[0].join(0.5)
        put(self, *given, **more)

    monkeypatch.setattr(Kept, "put", slowly)
    product.correct_subject_report(told["report"], [first], TESTER)
    threads[0].join()
    latest = product.latest_subject_report(told["report"], TESTER)
    (entry,) = product.ledger_entries(product.ledger_size - 1, product.ledger_size)
    assert (entry["type"], entry["seq"]) == ("subject.corrected", latest["corrected"])
    assert [one["id"] for one in latest["indexed"] if one.get("somebody_else")] == [second]


def test_a_report_is_kept_for_whoever_made_it_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    at = moments.now()
    monkeypatch.setattr(moments, "now", lambda: at)
    kept = Kept(minutes=5)
    for n in range(25):
        kept.put(f"S-{n}", "user:a", {"report": n})
    assert kept.get("S-24", "user:a") == {"report": 24}
    assert kept.get("S-24", "user:b") is None
    assert kept.get("S-1", "user:a") is None, "only the newest are kept"
    at += timedelta(minutes=4)
    kept.put("copy", "user:a", {"report": "mended"}, copy_of="S-24")
    assert kept.get("copy", "user:a") == {"report": "mended"}
    at += timedelta(minutes=2)
    assert kept.get("copy", "user:a") is None, "what is made of a report lives no longer than it"
    at += timedelta(minutes=6)
    assert kept.get("S-24", "user:a") is None
