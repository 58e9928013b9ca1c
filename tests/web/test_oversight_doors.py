"""What overseers do, done by programs: legal holds, what was exposed, what somebody is told of themselves."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import timedelta

from pypdf import PdfReader

from countenance.ledger.note import VerifierKey
from countenance.ledger.receipt import verify_receipt
from countenance.ledger.verify import verify_bundle
from countenance.store import moments
from tests import pretend as pretending
from tests.places import grant, kinds
from tests.web.conftest import ACTOR, Served


def test_a_program_places_and_releases_a_hold(pretend: Served) -> None:
    product = pretend.product
    until = moments.now() + timedelta(days=30)
    asked = {"reason": "a court asked", "until": until.isoformat(), "sources": ["album"], "case": "C-7"}
    with pretend.program("holds:read", "holds:write") as program:
        placed = program.post("/holds", json=asked)
        assert placed.status_code == 201, placed.text
        hold = placed.json()
        assert (hold["reason"], hold["names"], hold["state"]) == ("a court asked", ["album"], "in force")
        assert program.get(f"/holds/{hold['id']}").json() == hold
        assert [one["id"] for one in program.get("/holds").json()["holds"]] == [hold["id"]]
        assert "a court asked" not in program.get("/holds").text, "a list has no reasons"
        released = program.post(f"/holds/{hold['id']}/release", json={"reason": "it is over"}).json()
        assert (released["state"], released["released_because"]) == ("released", "it is over")
        assert program.get("/holds").json()["holds"] == []
        assert [one["id"] for one in program.get("/holds?ended=yes").json()["holds"]] == [hold["id"]]
        size = product.ledger_size
        for wrong, status in (
            ({"until": "2020-01-01T00:00:00Z"}, 422),
            ({"reason": " "}, 422),
            ({"sources": ["nowhere"]}, 404),
            ({"sources": []}, 422),
        ):
            assert program.post("/holds", json=asked | wrong).status_code == status, wrong
        assert program.get("/holds/H-000000000000").status_code == 404
        assert program.post(f"/holds/{hold['id']}/release", json={"reason": "again"}).status_code == 403
        assert product.ledger_size == size
    with pretend.program("holds:read") as reader:
        assert reader.post("/holds", json=asked).status_code == 403


def test_a_program_fetches_a_pack_part_by_part(pretend: Served) -> None:
    product = pretend.product
    since = (moments.now() - timedelta(hours=1)).isoformat()
    with pretend.program("oversight:read") as program:
        size = product.ledger_size
        answer = program.post("/breaches", json={"since": since, "users": [ACTOR.user], "files": ["database"]})
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert kinds(product)[size:] == ["oversight.read"]
        at = f"/breaches/{told['read']}"
        assert program.get(f"{at}/breach.pdf").content.startswith(b"%PDF-")
        assert program.get(f"{at}/breach.json").json() == told
        assert verify_receipt(program.get(f"{at}/receipt.json").text, product.vkey).seq == told["read"]
        assert kinds(product)[size:] == ["oversight.read"], "a part of what was read is no act of its own"
        for part in ("ledger.zip", "breach.zip"):
            refused = program.get(f"{at}/{part}")
            assert (refused.status_code, refused.json()["scope"]) == (403, "ledger:read")
        assert kinds(product)[size:] == ["oversight.read"]
        with pretend.program("oversight:read", "ledger:read") as reader:
            size = product.ledger_size
            pack = reader.get(f"{at}/breach.zip").content
        assert kinds(product)[size:] == ["ledger.exported"]
        with zipfile.ZipFile(io.BytesIO(pack)) as archive:
            bundle = archive.read("ledger.zip")
        report = verify_bundle(io.BytesIO(bundle), VerifierKey.parse(product.vkey)).as_json()
        assert report["given"] == len(told["listed"])
        assert program.get(f"/breaches/{told['read'] - 1}/breach.json").status_code == 404
        # No path of the server's is opened for whoever has a token.
        refused = program.post("/breaches", json={"since": since, "files": [str(product.home)]})
        assert refused.status_code == 422


def test_a_program_answers_somebody_who_asks(pretend: Served) -> None:
    product = pretend.product
    authority = grant(product, "album", "wall", purpose="subject access", holder=ACTOR.user).id
    photograph = base64.b64encode(pretending.photograph("ada", note="who asks")).decode()
    asked = {"photographs": [photograph], "authority": authority, "pictures": True}
    with pretend.program("subject") as program:
        size = product.ledger_size
        held_back = program.post("/subject-reports", json=asked | {"withhold": ["sought"]})
        assert held_back.status_code == 422, "a part is kept back for a reason"
        assert product.ledger_size == size
        answer = program.post("/subject-reports", json=asked | {"withhold": ["sought"], "reason": "an inquiry"})
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["sought"] is None
        assert kinds(product)[size:] == ["subject.started", "probes.compared", "subject.shown"]
        wrong = told["indexed"][0]
        at = f"/subject-reports/{told['report']}"
        mended = program.post(f"{at}/corrections", json={"somebody_else": [wrong["id"]]}).json()
        assert mended["corrected"] == product.ledger_size - 1
        assert wrong["page"] not in json.dumps([one for one in mended["indexed"] if one["id"] == wrong["id"]])
        pdf = PdfReader(io.BytesIO(program.get(f"{at}/pdf").content))
        text = " ".join(" ".join(sheet.extract_text() for sheet in pdf.pages).split())
        assert "Somebody else, whom the machine took for you" in text
        assert "an inquiry" not in text
    with pretend.program("search") as program:
        assert program.post("/subject-reports", json=asked).status_code == 403
    form = {"authority": authority, "face": "largest"}
    files = {"photograph": ("me.png", pretending.photograph("ada", note="who asks"), "image/png")}
    with pretend.program("subject") as program:
        assert program.post("/subject-reports", data=form, files=files).json()["sought"] == []
        assert program.post("/subject-reports", data=form | {"withold": "sought"}, files=files).status_code == 422
