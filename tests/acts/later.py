"""Acts on what was done before: inspections, legal holds, what was exposed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.services.breach import Asked as Exposed
from countenance.services.hold import NewHold
from countenance.services.inspections import Wanted
from countenance.services.listing import Chosen
from countenance.store import moments
from tests.acts.overseen import READ, reading, searched, span
from tests.acts.pictures import long_ago
from tests.acts.stage import Command, Given, Home, Http
from tests.acts.table import Act, api

REASON = "The court asked for what is there."
WORDS = "The reason given fits the case."


def soon() -> date:
    return moments.now().date() + timedelta(days=30)


# Inspections: an auditor draws, a reviewer who had no part in it looks.


def to_draw(home: Home) -> Given:
    """A search that no draw has had."""
    home.searched()
    return reading({})


def draw(product: Countenance, who: Actor, given: Given) -> object:
    return product.inspections.draw(Wanted("lawfulness", moments.now() - timedelta(days=1), random=1, risk=0), who)


def drawn_anew(home: Home, role: str) -> tuple[str, str]:
    """(draw, inspection) of a search in which nobody has had a part but who searched and who approved."""
    since = moments.now()
    home.searched()
    who = home.actor(role)
    made = home.product.inspections.draw(Wanted("lawfulness", since, random=1, risk=0), who)
    [one] = [one for one in home.product.inspections.every(who) if one.draw == made.id]
    return made.id, one.id


def drawn(home: Home) -> Given:
    """An inspection that is a reviewer's."""
    auditor = home.actor("auditor")
    _, id = drawn_anew(home, "auditor")
    if home.product.inspections.one(id, auditor).assigned != home.user("reviewer"):
        home.product.inspections.assign(id, "reviewer", auditor)
    return {"inspection": id, "words": WORDS, "to": "second", "owner": "reviewer", "due": soon().isoformat()}


def found(home: Home) -> Given:
    given = drawn(home)
    home.product.inspections.find(given["inspection"], "query", WORDS, home.actor("reviewer"))
    return given


def followed(home: Home) -> Given:
    given = found(home)
    home.product.inspections.follow_up(given["inspection"], "reviewer", soon(), WORDS, home.actor("reviewer"))
    return given


def owed(home: Home, owner: str = "authoriser") -> Given:
    """A follow-up for somebody to see to who neither draws nor judges."""
    given = found(home)
    home.product.inspections.follow_up(given["inspection"], owner, soon(), WORDS, home.actor("reviewer"))
    return given


# Holds: an authoriser places one, another releases it.


def held(home: Home) -> Given:
    name = home.source("ada")
    return {"source": name, "until": soon().isoformat()}


def new_hold(given: Given) -> NewHold:
    day = date.fromisoformat(given["until"])
    return NewHold(REASON, datetime(day.year, day.month, day.day, tzinfo=UTC), sources=(given["source"],))


def placed(home: Home) -> Given:
    """One that another person placed: who places it does not release it."""
    given = held(home)
    people = home.product.people
    other, _ = people.add(home.name("lawyer"), ["authoriser"], home.actor("administrator"))
    hold = home.product.holds.place(new_hold(given), people.known(Actor(other.user, "python")))
    return given | {"id": hold.id, "hold": hold.id}


def known(home: Home) -> Given:
    """A draw, a hold and a receipt of destruction, of one person's home."""
    who = home.actor("administrator")
    draw, _ = drawn_anew(home, "administrator")
    hold = home.product.holds.place(new_hold(held(home)), who)
    long_ago(home)
    receipt = home.product.run_retention(who)["entry"]
    return {"draw": draw, "hold": hold.id, "receipt": receipt, "inspection": "I-000000000000"}


def exposed(given: Given) -> Exposed:
    return Exposed(moments.now() - timedelta(days=1), files=("database",))


def exposed_form(given: Given) -> dict[str, str]:
    since = f"{moments.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    return {"since": since, "purpose": "integrity", "kind": "database"}


def exposed_body(given: Given) -> Given:
    return {"since": (moments.now() - timedelta(days=1)).isoformat(), "files": ["database"]}


def packed(home: Home) -> Given:
    read = home.product.breaches.pack(exposed({}), home.actor("administrator"))["read"]
    return {"read": read, "part": "ledger.zip"}


ACTS = (
    Act(
        "searches are drawn for inspection",
        ("oversight.read", "probes.compared", "inspection.drawn"),
        "auditor",
        "consultation",
        to_draw,
        page=api("POST", "/inspections/draws", lambda given: given | {"random": 1, "risk": 0}),
        command=Command("inspection draw", lambda given: [*READ, "--random", "1", "--risk", "0"]),
        python=draw,
    ),
    Act(
        "an inspection is given to somebody else",
        ("inspection.assigned",),
        "auditor",
        before=drawn,
        page=api("POST", "/inspections/{inspection}/assign", lambda given: {"to": given["to"]}),
        command=Command("inspection assign", lambda given: [given["inspection"], "--to", given["to"]]),
        python=lambda product, who, given: product.inspections.assign(given["inspection"], given["to"], who),
    ),
    Act(
        "the file of an inspection is read",
        ("inspection.read",),
        "reviewer",
        "consultation",
        drawn,
        http=api("POST", "/inspections/{inspection}/file"),
        command=Command("inspection show", lambda given: [given["inspection"]]),
        python=lambda product, who, given: product.inspections.file(given["inspection"], who),
    ),
    Act(
        "an inspection finds something",
        ("inspection.found",),
        "reviewer",
        before=drawn,
        http=api("POST", "/inspections/{inspection}/finding", lambda given: {"finding": "query", "words": WORDS}),
        command=Command("inspection find", lambda given: [given["inspection"], "--finding", "query", "--words", WORDS]),
        python=lambda product, who, given: product.inspections.find(given["inspection"], "query", WORDS, who),
    ),
    Act(
        "a finding is to be followed up",
        ("inspection.follow-up-set",),
        "reviewer",
        before=found,
        http=api(
            "POST",
            "/inspections/{inspection}/follow-up",
            lambda given: {name: given[name] for name in ("owner", "due", "words")},
        ),
        command=Command(
            "inspection follow-up",
            lambda given: [given["inspection"], "--owner", given["owner"], "--due", given["due"], "--words", WORDS],
        ),
        python=lambda product, who, given: product.inspections.follow_up(
            given["inspection"], given["owner"], soon(), WORDS, who
        ),
    ),
    Act(
        "a finding was followed up",
        ("inspection.followed-up",),
        "reviewer",
        before=followed,
        http=api("POST", "/inspections/{inspection}/done", lambda given: {"words": WORDS}),
        command=Command("inspection done", lambda given: [given["inspection"], "--words", WORDS]),
        python=lambda product, who, given: product.inspections.followed_up(given["inspection"], WORDS, who),
    ),
    Act(
        "whoever has to says that a finding was followed up",
        ("inspection.followed-up",),
        "authoriser",
        before=owed,
        http=api("POST", "/inspections/{inspection}/done", lambda given: {"words": WORDS}),
        command=Command("inspection done", lambda given: [given["inspection"], "--words", WORDS]),
        python=lambda product, who, given: product.inspections.followed_up(given["inspection"], WORDS, who),
    ),
    Act(
        "acts are listed",
        ("oversight.read",),
        operation="consultation",
        before=searched,
        http=api("POST", "/oversight/acts", reading),
        page=Http("GET", "/oversight/acts", query="?reading=lawfulness&span=7"),
        command=Command("oversee acts", lambda given: READ),
        python=lambda product, who, given: product.oversight.acts(span(), Chosen(), who),
        alone=True,
    ),
    Act(
        "everything on one search is read",
        ("oversight.read",),
        operation="consultation",
        before=searched,
        http=api("POST", "/oversight/acts/{search}", lambda given: {"purpose": "lawfulness"}),
        command=Command("oversee act", lambda given: [given["search"], "--purpose", "lawfulness"]),
        python=lambda product, who, given: product.oversight.act(given["search"], span(), who),
        alone=True,
    ),
    Act(
        "the overseer's page is made a report",
        ("oversight.read", "probes.compared"),
        operation="consultation",
        before=searched,
        http=api("POST", "/oversight/report", reading),
        command=Command(
            "report oversight",
            lambda given: ["--purpose", "lawfulness", "--from", "1d", "--out", f"{given['out']}.pdf", "--force"],
        ),
        alone=True,
    ),
    Act(
        "what was exposed is read",
        ("oversight.read",),
        "auditor",
        "consultation",
        page=Http(
            "POST",
            "/breach",
            form=lambda given: exposed_form(given),
        ),
        command=Command("breach", lambda given: ["--from", "1d", "--user", "requester", "--purpose", "integrity"]),
        python=lambda product, who, given: product.breaches.pack(exposed(given), who),
    ),
    Act(
        "what was exposed is told to a program",
        ("oversight.read",),
        operation="consultation",
        http=api("POST", "/breaches", lambda given: exposed_body(given)),
        alone=True,
    ),
    Act(
        "what was exposed is saved with the ledger's part",
        ("oversight.read", "ledger.exported"),
        "auditor",
        "disclosure",
        page=Http("POST", "/breach", form=lambda given: exposed_form(given) | {"form": "zip"}),
        command=Command(
            "breach", lambda given: ["--from", "1d", "--user", "requester", "--out", f"{given['out']}.zip", "--force"]
        ),
        before=lambda home: {"out": home.folder},
    ),
    Act(
        "the ledger's part of what was exposed is taken",
        ("ledger.exported",),
        operation="disclosure",
        before=packed,
        http=api("GET", "/breaches/{read}/{part}"),
        alone=True,
    ),
    Act(
        "a legal hold is placed",
        ("hold.placed",),
        "authoriser",
        before=held,
        page=Http(
            "POST",
            "/retention/holds",
            form=lambda given: {"reason": REASON, "until": given["until"], "source": given["source"]},
        ),
        http=api(
            "POST",
            "/holds",
            lambda given: {
                "reason": REASON,
                "until": f"{given['until']}T00:00:00Z",
                "sources": [given["source"]],
            },
        ),
        command=Command(
            "hold place",
            lambda given: ["--source", given["source"], "--reason", REASON, "--until", given["until"]],
        ),
        python=lambda product, who, given: product.holds.place(new_hold(given), who),
    ),
    Act(
        "a legal hold is released",
        ("hold.released",),
        "authoriser",
        before=placed,
        page=Http("POST", "/retention/holds/{id}/release", form=lambda given: {"reason": REASON}),
        http=api("POST", "/holds/{hold}/release", lambda given: {"reason": REASON}),
        command=Command("hold release", lambda given: [given["id"], "--reason", REASON]),
        python=lambda product, who, given: product.holds.release(given["id"], REASON, who),
    ),
)
