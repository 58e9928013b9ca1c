"""Acts on the leave to search, and on reviews."""

from __future__ import annotations

from datetime import timedelta

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.services.authorise import NewAuthority
from countenance.store import moments
from tests import pretend
from tests.acts.pictures import ADA, text
from tests.acts.stage import REASONS, Command, Given, Home, Http
from tests.acts.table import Act, api

BOB = pretend.photograph("bob", note="known")


def asking(home: Home, **changes: object) -> Given:
    return {"wanted": home.wanted(**changes), "more": home.words()}


def ask_body(given: Given) -> Given:
    wanted = given["wanted"]
    said = {
        name: getattr(wanted, name)
        for name in ("purpose", "basis", "basis_document", "case", "searches", "outcome", "stated_by", "urgent")
    }
    said |= {"collections": list(wanted.collections), "expires": wanted.expires.isoformat()}
    return said | {name: f"{getattr(REASONS, name)} {given['more']}" for name in ("necessity", "proportionality")}


def ask_words(given: Given) -> list[str]:
    said = ask_body(given)
    words = []
    for name in ("purpose", "basis", "case", "expires", "searches", "outcome", "necessity", "proportionality"):
        words += [f"--{name}", str(said[name])]
    for name in said["collections"]:
        words += ["--collection", name]
    words += ["--basis-document", said["basis_document"], "--by", said["stated_by"]]
    return words + (["--urgent"] if said["urgent"] else [])


def reasons(given: Given) -> object:
    from countenance.domain.requests import Reasons

    said = ask_body(given)
    return Reasons(said["necessity"], said["proportionality"])


def requested(home: Home) -> Given:
    request = home.requested()
    return {"request": request, "id": request}


def urgent(home: Home) -> Given:
    return {"request": home.requested(urgent=True)}


def granted(home: Home) -> Given:
    return {"authority": home.authority()}


def grant_body(given: Given) -> Given:
    expires = (moments.now() + timedelta(days=1)).isoformat()
    said = {"purpose": "my own", "basis": "own", "case": "ME-1", "collections": ["album"], "expires": expires}
    return said | {"searches": 3, "stated_by": "Me"}


def grant_words(given: Given) -> list[str]:
    said = ["--purpose", "my own", "--basis", "own", "--case", "ME-1", "--collection", "album"]
    return [*said, "--expires", "1d", "--searches", "3", "--by", "Me"]


def grant(product: Countenance, who: Actor, given: Given) -> object:
    return product.grant(
        NewAuthority("my own", "own", "ME-1", ("album",), moments.now() + timedelta(days=1), 3, "Me"), who
    )


def case(home: Home) -> Given:
    return {"case": home.name("closing")}


def closed(home: Home) -> Given:
    given = case(home)
    home.product.requests.close_case(given["case"], home.actor("authoriser"))
    return given


# Reviews


def reviewable(home: Home) -> Given:
    given = home.searched()
    return given | {"photo": home.place.put("probe.png", ADA)}


def review_words(given: Given) -> list[object]:
    said = ["--handle", given["handle"], "--sighting", given["sighting"]]
    return [given["search"], *said, "--photograph", given["photo"], "--face", "largest"]


def open_review(product: Countenance, who: Actor, given: Given) -> object:
    return product.reviews.open(given["search"], given["handle"], int(given["sighting"][9:]), ADA, "largest", who)


def pair(home: Home) -> Given:
    """At least one pair that waits."""
    given = reviewable(home)
    review = open_review(home.product, home.actor("requester"), given)
    return given | {"review": review.id, "out": home.folder}  # type: ignore[attr-defined]


def shown(home: Home) -> Given:
    given = pair(home)
    found = home.product.reviews.next(home.actor("reviewer"))
    assert found is not None
    return given | {"review": found.review}


def control(home: Home) -> Given:
    return {"one": home.place.put("one.png", ADA), "other": home.place.put("other.png", BOB)}


def known(home: Home) -> Given:
    return {"review": home.product.reviews.add_control(ADA, BOB, "different", home.actor("administrator"))}


ACTS = (
    Act(
        "an authority is granted",
        ("authority.granted",),
        http=api("POST", "/authorities", grant_body),
        command=Command("authority grant", grant_words),
        python=grant,
        alone=True,
    ),
    Act(
        "a request is drafted",
        ("authority.drafted",),
        "requester",
        before=asking,
        http=api("POST", "/authority-requests", lambda given: ask_body(given) | {"draft": True}),
        command=Command("authority request", lambda given: [*ask_words(given), "--draft"]),
        python=lambda product, who, given: product.requests.draft(given["wanted"], reasons(given), who),  # type: ignore[arg-type]
    ),
    Act(
        "an authority is asked for",
        ("authority.requested",),
        "requester",
        before=asking,
        http=api("POST", "/authority-requests", ask_body),
        command=Command("authority request", ask_words),
        python=lambda product, who, given: product.requests.ask(given["wanted"], reasons(given), who),  # type: ignore[arg-type]
    ),
    Act(
        "an authority is used before approval",
        ("authority.urgent",),
        "requester",
        before=lambda home: asking(home, urgent=True),
        http=api("POST", "/authority-requests", ask_body),
        command=Command("authority request", ask_words),
        python=lambda product, who, given: product.requests.ask(given["wanted"], reasons(given), who),  # type: ignore[arg-type]
    ),
    Act(
        "the reasons of a request are read",
        ("request.shown",),
        "authoriser",
        "consultation",
        requested,
        http=api("GET", "/authority-requests/{request}"),
        page=Http("GET", "/requests/{id}"),
        command=Command("authority request-show", lambda given: [given["request"]]),
        python=lambda product, who, given: product.requests.show_reasons(
            product.requests.one(given["request"], who), who
        ),
    ),
    Act(
        "a request is approved",
        ("authority.granted",),
        "authoriser",
        before=requested,
        http=api("POST", "/authority-requests/{request}/approve"),
        command=Command("authority approve", lambda given: [given["request"]]),
        python=lambda product, who, given: product.requests.approve(given["request"], who),
    ),
    Act(
        "an urgent request is approved",
        ("authority.approved",),
        "authoriser",
        before=urgent,
        http=api("POST", "/authority-requests/{request}/approve"),
        command=Command("authority approve", lambda given: [given["request"]]),
        python=lambda product, who, given: product.requests.approve(given["request"], who),
    ),
    Act(
        "a request is declined",
        ("authority.declined",),
        "authoriser",
        before=requested,
        http=api("POST", "/authority-requests/{request}/decline", lambda given: {"reason": "not warranted"}),
        command=Command("authority decline", lambda given: [given["request"], "--reason", "not warranted"]),
        python=lambda product, who, given: product.requests.decline(given["request"], "not warranted", who),
    ),
    Act(
        "a request is taken back",
        ("authority.withdrawn",),
        "requester",
        before=requested,
        http=api("POST", "/authority-requests/{request}/withdraw"),
        command=Command("authority withdraw", lambda given: [given["request"]]),
        python=lambda product, who, given: product.requests.withdraw(given["request"], who),
    ),
    Act(
        "an authority is revoked",
        ("authority.revoked",),
        "authoriser",
        before=granted,
        http=api("POST", "/authorities/{authority}/revoke", lambda given: {"reason": "it is over"}),
        command=Command("authority revoke", lambda given: [given["authority"], "--reason", "it is over"]),
        python=lambda product, who, given: product.revoke(given["authority"], who, "it is over"),
    ),
    Act(
        "a case is closed",
        ("case.closed",),
        "authoriser",
        before=case,
        command=Command("authority close-case", lambda given: [given["case"]]),
        python=lambda product, who, given: product.requests.close_case(given["case"], who),
    ),
    Act(
        "a case goes on",
        ("case.reopened",),
        "authoriser",
        before=closed,
        command=Command("authority close-case", lambda given: [given["case"], "--reopen"]),
        python=lambda product, who, given: product.requests.reopen_case(given["case"], who),
    ),
    Act(
        "a review is asked for",
        ("review.opened",),
        "requester",
        before=reviewable,
        http=api(
            "POST",
            "/searches/{search}/reviews",
            lambda given: {"sighting": given["sighting"], "photograph": text(ADA), "face": "largest"},
        ),
        command=Command("review open", review_words),
        python=open_review,
    ),
    Act(
        "a pair is shown",
        ("review.shown",),
        "reviewer",
        "consultation",
        pair,
        http=api("POST", "/reviews/next"),
        command=Command("review next", lambda given: ["--out", given["out"]]),
        python=lambda product, who, given: product.reviews.next(who),
    ),
    Act(
        "a pair is judged",
        ("verdict.given",),
        "reviewer",
        before=shown,
        http=api("POST", "/reviews/{review}/verdicts", lambda given: {"verdict": "same", "reason": "the ears"}),
        command=Command("review judge", lambda given: [given["review"], "--verdict", "same", "--reason", "the ears"]),
        python=lambda product, who, given: product.reviews.judge(given["review"], "same", "the ears", who),
    ),
    Act(
        "a known pair is added",
        ("review.control-added",),
        before=control,
        command=Command("review control-add", lambda given: [given["one"], given["other"], "--truth", "different"]),
        python=lambda product, who, given: product.reviews.add_control(ADA, BOB, "different", who),
    ),
    Act(
        "a known pair is taken away",
        ("review.control-removed",),
        before=known,
        command=Command("review control-remove", lambda given: [given["review"]]),
        python=lambda product, who, given: product.reviews.remove_control(given["review"], who),
    ),
)
