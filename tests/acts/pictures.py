"""Acts on pictures and faces: collected, looked for, looked at, given away, erased."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from countenance.app import Countenance, system_actor
from countenance.domain.authority import Actor
from countenance.domain.errors import CountenanceError, NoAuthority
from countenance.services.register import NewSource
from countenance.services.search import SearchRequest
from countenance.services.subject import SubjectRequest
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests import pretend
from tests.acts.stage import ADA, Command, Given, Home
from tests.acts.table import Act, api

ANOTHER = pretend.photograph("ada", note="asked once more")


def text(photograph: bytes) -> str:
    return base64.b64encode(photograph).decode()


@contextmanager
def days_ago(days: float) -> Iterator[None]:
    """As if it were that long ago."""
    real = moments.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "now", lambda: real() - timedelta(days=days))
        yield


def new_source(home: Home) -> Given:
    name = home.name("new")
    home.place.put(f"{name}/ada.png", pretend.photograph("ada", note=name))
    return {"name": name, "at": str(home.place.photos / name), "collection": name}


def joining(home: Home) -> Given:
    return new_source(home) | {"collection": "wall"}


def source_body(given: Given) -> Given:
    said = {"name": given["name"], "kind": "folder", "location": given["at"], "owner": "Tests", "basis": "own"}
    return said | {"collection": given["collection"]}


def source_words(given: Given) -> list[str]:
    said = ["--kind", "folder", "--at", given["at"], "--owner", "Tests", "--basis", "own"]
    return [given["name"], *said, "--collection", given["collection"]]


def add_source(product: Countenance, who: Actor, given: Given) -> object:
    return product.add_source(NewSource(**source_body(given)), who)


def unread(home: Home) -> Given:
    given = new_source(home)
    add_source(home.product, home.actor("administrator"), given)
    return given


def read(home: Home) -> Given:
    return {"name": home.source("ada")}


# Looking


def leave(home: Home) -> Given:
    photo, other = home.place.put("probe.png", ADA), home.place.put("other.png", ANOTHER)
    return {"authority": home.authority(), "photo": photo, "other": other}


def told(home: Home) -> Given:
    """A report that was just made, and the first sighting in it."""
    asked = SubjectRequest((ADA,), home.authority(), "largest", {})
    body = home.product.subject_report(asked, home.actor("requester"))
    return {"search": body["report"], "others": [body["indexed"][0]["id"]]}


def no_leave(home: Home) -> Given:
    return leave(home) | {"authority": "A-000000000000"}


def judged_before(home: Home) -> Given:
    """Two reviewers took the best candidate of a search in this case for somebody else."""
    found, desk = home.searched(), home.product.reviews
    sighting = int(found["sighting"][9:])
    review = desk.open(found["search"], found["handle"], sighting, ADA, "largest", home.actor("requester")).id
    for name in ("reviewer", "second"):
        while True:
            pair = desk.next(home.actor(name))
            assert pair is not None
            desk.judge(pair.review, "different", "the ears", home.actor(name))
            if pair.review == review:
                break
    return leave(home) | {"authority": found["authority"]}


def search_body(given: Given) -> Given:
    return {"authority": given["authority"], "photographs": [text(ADA)], "face": "largest"}


def search_words(given: Given) -> list[object]:
    return [given["photo"], "--authority", given["authority"], "--face", "largest"]


def search(product: Countenance, who: Actor, given: Given) -> None:
    with suppress(NoAuthority):
        product.search(SearchRequest((ADA,), given["authority"], face="largest"), who)


def open_picture(product: Countenance, who: Actor, given: Given) -> None:
    # It is pretended, and cannot be decoded; that it was opened stands in the ledger before that is tried.
    with pytest.raises(CountenanceError):
        product.open_picture(given["search"], given["handle"], int(given["sighting"][9:]), who)


def export_words(given: Given) -> list[object]:
    said = ["--recipient", "The court", "--purpose", "a hearing", "--handle", given["handle"]]
    return [given["search"], given["file"], *said]


def exportable(home: Home) -> Given:
    return home.searched() | {"file": home.folder}


# Erasing


def sighting(home: Home) -> Given:
    """Of a source of its own."""
    name = home.source("eve")
    found = home.searched(pretend.photograph("eve", note="asked"), collections=(name,))
    shown = home.product.shown(found["search"], found["handle"])
    image = shown.groups[0].sightings[0].image
    photo = home.place.put("eve.png", pretend.photograph("eve", note="asked"))
    authority = home.authority(collections=(name,))
    return found | {"name": name, "image": image, "photo": photo, "authority": authority}


def erase_face(product: Countenance, who: Actor, given: Given) -> None:
    photograph = given["photo"].read_bytes()
    product.erase(product.plan_face_erasure(photograph, "largest", given["authority"], who, 0.5), who)


def over(home: Home) -> Given:
    with days_ago(3):
        return {"name": home.source("ada", retain_days=2)}


def long_ago(home: Home) -> Given:
    with days_ago(300):
        return home.searched()


def at_the_start_of_serving(home: Home, given: Given) -> None:
    """What `countenance serve` does before it serves."""
    home.product.run_retention(Actor(home.user("administrator"), "command"))


def urgent_and_forgotten(home: Home) -> Given:
    with days_ago(4):
        return {"request": home.requested(urgent=True, expires=moments.now() + timedelta(days=9))}


def by_the_clock(home: Home, given: Given) -> None:
    """While the server runs."""
    size = home.product.ledger_size
    with _keeping_time(home.product, 0.01):
        while home.product.ledger_size == size:
            pass


def at_the_opening(home: Home, given: Given) -> None:
    home.place.open().close()


def machine(home: Home, given: Given) -> str:
    return system_actor("python").user


ACTS = (
    Act(
        "a source is registered",
        ("source.registered",),
        operation="collection",
        before=new_source,
        http=api("POST", "/sources", source_body),
        command=Command("source add", source_words),
        python=add_source,
    ),
    Act(
        "a source is put into a collection with others",
        ("source.registered",),
        operation="combination",
        before=joining,
        http=api("POST", "/sources", source_body),
        command=Command("source add", source_words),
        python=add_source,
    ),
    Act(
        "a source is read",
        ("ingest.started", "ingest.ended"),
        operation="collection",
        before=unread,
        http=api("POST", "/sources/{name}/runs", goes_on=True),
        command=Command("ingest", lambda given: [given["name"]]),
        python=lambda product, who, given: product.ingest(given["name"], who),
    ),
    Act(
        "a source is read again",
        ("refresh.started", "refresh.ended"),
        operation="alteration",
        before=read,
        http=api("POST", "/sources/{name}/runs", goes_on=True),
        command=Command("source refresh", lambda given: [given["name"]]),
        python=lambda product, who, given: product.ingest(given["name"], who),
    ),
    Act(
        "a source would be read",
        (),
        before=read,
        http=api("POST", "/sources/{name}/runs", lambda given: {"dry_run": True}, goes_on=True),
        command=Command("ingest", lambda given: [given["name"], "--dry-run"]),
        python=lambda product, who, given: product.ingest(given["name"], who, dry_run=True),
    ),
    Act(
        "faces of a photograph are counted",
        (),
        "requester",
        http=api("POST", "/faces", lambda given: {"photograph": text(ADA)}),
        python=lambda product, who, given: product.faces_in(ADA),
    ),
    Act(
        "a search",
        ("search.started", "search.shown"),
        "requester",
        "consultation",
        leave,
        http=api("POST", "/searches", search_body),
        command=Command("search", search_words),
        python=search,
    ),
    Act(
        "a search with two photographs as one probe, over two collections",
        ("search.started", "search.shown"),
        "requester",
        "combination",
        leave,
        http=api("POST", "/searches", lambda given: search_body(given) | {"photographs": [text(ADA), text(ANOTHER)]}),
        command=Command("search", lambda given: [given["other"], *search_words(given)]),
        python=lambda product, who, given: product.search(
            SearchRequest((ADA, ANOTHER), given["authority"], face="largest"), who
        ),
    ),
    Act(
        "a search that shows what was judged different before",
        ("search.started", "probes.compared", "search.shown"),
        "requester",
        "combination",
        judged_before,
        http=api("POST", "/searches", search_body),
        command=Command("search", search_words),
        python=search,
    ),
    Act(
        "a search without leave",
        ("authority.refused",),
        "requester",
        "consultation",
        no_leave,
        http=api("POST", "/searches", search_body, fails=True),
        command=Command("search", search_words),
        python=search,
    ),
    Act(
        "a whole picture is opened",
        ("picture.opened",),
        "requester",
        "consultation",
        lambda home: home.searched(),
        http=api("POST", "/searches/{search}/pictures/{sighting}", fails=True),
        python=open_picture,
    ),
    Act(
        "a search is exported",
        ("search.disclosed",),
        operation="disclosure",
        before=exportable,
        http=api(
            "POST", "/searches/{search}/exports", lambda given: {"recipient": "The court", "purpose": "a hearing"}
        ),
        command=Command("export", export_words),
        python=lambda product, who, given: product.export_search(
            given["search"], given["handle"], "The court", "a hearing", who
        ),
        alone=True,
    ),
    Act(
        "somebody is told what is held of them",
        ("subject.started", "probes.compared", "subject.shown"),
        "requester",
        "disclosure",
        leave,
        http=api("POST", "/subject-reports", search_body),
        command=Command("subject-report", search_words),
        python=lambda product, who, given: product.subject_report(
            SubjectRequest((ADA,), given["authority"], "largest", {}), who
        ),
    ),
    Act(
        "somebody else is taken out of what is told",
        ("subject.corrected",),
        "requester",
        before=told,
        http=api("POST", "/subject-reports/{search}/corrections", lambda given: {"somebody_else": given["others"]}),
        python=lambda product, who, given: product.correct_subject_report(given["search"], given["others"], who),
    ),
    Act(
        "a sighting is erased",
        ("erasure",),
        "requester",
        "erasure",
        sighting,
        command=Command("erase", lambda given: ["--sighting", given["sighting"], "--yes"]),
        python=lambda product, who, given: product.erase(
            product.eraser.plan_sightings([int(given["sighting"][9:])]), who
        ),
    ),
    Act(
        "an image is erased",
        ("erasure",),
        "requester",
        "erasure",
        sighting,
        command=Command("erase", lambda given: ["--image", given["image"], "--yes"]),
        python=lambda product, who, given: product.erase(product.eraser.plan_image(given["image"]), who),
    ),
    Act(
        "a source is erased",
        ("erasure",),
        operation="erasure",
        before=read,
        command=Command("source remove", lambda given: [given["name"], "--yes"]),
        python=lambda product, who, given: product.erase(product.eraser.plan_sources([given["name"]]), who),
    ),
    Act(
        "a face is erased",
        ("erase.started", "erase.shown", "erasure"),
        "requester",
        "erasure",
        sighting,
        command=Command(
            "erase",
            lambda given: [
                "--face",
                given["photo"],
                "--authority",
                given["authority"],
                "--min-likeness",
                "0.5",
                "--n",
                "largest",
                "--yes",
            ],
        ),
        python=erase_face,
    ),
    Act(
        "a source is over its time",
        ("erasure", "retention.destroyed"),
        operation="erasure",
        before=over,
        command=Command("retention run"),
        python=lambda product, who, given: product.run_retention(who),
        job=at_the_start_of_serving,
        via="command",
    ),
    Act(
        "probes and reasons are over their time",
        ("retention.destroyed",),
        operation="erasure",
        before=long_ago,
        command=Command("retention run"),
        python=lambda product, who, given: product.run_retention(who),
        job=at_the_start_of_serving,
        via="command",
    ),
    Act(
        "an urgent request lapses",
        ("authority.lapsed",),
        operation="erasure",
        before=urgent_and_forgotten,
        job=by_the_clock,
        by=machine,
        via="clock",
    ),
    Act(
        "an urgent request lapses while nothing runs",
        ("authority.lapsed",),
        operation="erasure",
        before=urgent_and_forgotten,
        job=at_the_opening,
        by=machine,
        via="opening",
    ),
)
