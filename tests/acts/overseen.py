"""Acts of those who oversee, and on the ledger."""

from __future__ import annotations

from datetime import timedelta

from countenance.services.oversight import Asked
from countenance.store import moments
from tests.acts.stage import Command, Given, Home, Http
from tests.acts.table import Act, api


def searched(home: Home) -> Given:
    """Probes to compare: of one person's home, under an authority of their own."""
    return home.searched() | {"out": f"{home.folder}.json"}


def reading(given: Given) -> Given:
    return {"purpose": "lawfulness", "since": (moments.now() - timedelta(days=1)).isoformat()}


READ = ["--purpose", "lawfulness", "--since", "1d"]


def span() -> Asked:
    return Asked("lawfulness", moments.now() - timedelta(days=1))


def others(home: Home) -> Given:
    return {"seq": 0}


ACTS = (
    Act(
        "signs of misuse are read",
        ("oversight.read", "probes.compared"),
        operation="combination",
        before=searched,
        http=api("POST", "/oversight/flags", reading),
        command=Command("oversee flags", lambda given: READ),
        python=lambda product, who, given: product.oversight.flags(span(), who),
        alone=True,
    ),
    Act(
        "how the home was used is read",
        ("oversight.read", "probes.compared"),
        operation="combination",
        before=searched,
        http=api("POST", "/oversight/summary", reading),
        page=Http("GET", "/oversight", query="?reading=lawfulness&span=7"),
        command=Command("oversee summary", lambda given: READ),
        python=lambda product, who, given: product.oversight.summary(span(), who),
        alone=True,
    ),
    Act(
        "verdicts are held against expected strangers",
        ("oversight.read",),
        operation="combination",
        before=searched,
        http=api("POST", "/oversight/verdicts", reading),
        command=Command("oversee calibration", lambda given: [*READ, "--out", given["out"]]),
        python=lambda product, who, given: product.oversight.verdicts(span(), who),
        alone=True,
    ),
    Act(
        "a transparency report is made",
        ("oversight.read",),
        operation="consultation",
        before=searched,
        http=api("POST", "/oversight/transparency", reading),
        command=Command(
            "report transparency", lambda given: ["--from", "2026-01-01", "--to", "2026-02-01", "--out", given["out"]]
        ),
        python=lambda product, who, given: product.oversight.transparency(span(), who),
        alone=True,
    ),
    Act(
        "the ledger is read",
        ("ledger.read",),
        operation="consultation",
        http=api("GET", "/ledger/entries"),
        page=Http("GET", "/ledger"),
        command=Command("ledger show"),
        python=lambda product, who, given: product.read_ledger(0, 5, who),
        alone=True,
    ),
    Act(
        "one entry of another's is read",
        ("ledger.read",),
        "auditor",
        "consultation",
        others,
        page=Http("GET", "/ledger/receipts/{seq}"),
        command=Command("ledger show", lambda given: [given["seq"]]),
        python=lambda product, who, given: product.read_receipt(given["seq"], who),
    ),
    Act(
        "one's own receipt is read",
        (),
        before=others,
        http=api("GET", "/ledger/receipts/{seq}"),
        page=Http("GET", "/ledger/receipts/{seq}"),
        python=lambda product, who, given: product.read_receipt(given["seq"], who),
        alone=True,
    ),
    Act(
        "the ledger is exported",
        ("ledger.exported",),
        operation="disclosure",
        before=lambda home: {"file": home.folder},
        http=api("POST", "/ledger/bundle"),
        command=Command("ledger export", lambda given: [given["file"]]),
        python=lambda product, who, given: product.ledger_bundle(who),
        alone=True,
    ),
    Act(
        "the ledger's entries are written as tiles",
        ("ledger.exported",),
        operation="disclosure",
        before=lambda home: {"folder": home.folder},
        command=Command("ledger tiles", lambda given: [given["folder"], "--entries"]),
        python=lambda product, who, given: product.overseer.tiles(given["folder"], who, entries=True),
        alone=True,
    ),
    Act(
        "the ledger's tree is written as tiles",
        (),
        before=lambda home: {"folder": home.folder},
        command=Command("ledger tiles", lambda given: [given["folder"]]),
        python=lambda product, who, given: product.overseer.tiles(given["folder"], who),
        alone=True,
    ),
    Act(
        "the ledger is checked",
        (),
        http=api("POST", "/ledger/verify"),
        command=Command("ledger verify"),
        python=lambda product, who, given: product.ledger_verify(),
        alone=True,
    ),
    Act(
        "a receipt is checked",
        (),
        before=lambda home: home.product.receipt(0),
        http=api("POST", "/ledger/check-receipt", dict),
        alone=True,
    ),
)
