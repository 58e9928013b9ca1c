"""Acts of whoever runs the house: settings, profile, keys, backups; and proxy logs."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import countenance
from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.people import Document
from countenance.services.analyse import NewAnalysis
from countenance.services.backup import To, back_up
from countenance.services.keys import export_keys, import_keys
from countenance.services.unmask import Unmasking
from tests.acts.pictures import machine
from tests.acts.stage import Command, Given, Home
from tests.acts.table import Act, api
from tests.services.test_analyse import LOG, REASON

SHIPPED = Path(countenance.__file__).parent / "proxylog" / "shipped"
PASSPHRASE = "six words that nobody else would think of"


def file(home: Home) -> Given:
    return {"file": home.folder}


def passphrase(home: Home) -> Given:
    words = home.folder
    words.write_text(PASSPHRASE)
    return file(home) | {"words": words}


def log(home: Home) -> Given:
    path = home.folder.with_suffix(".log")
    path.write_text("\n".join(LOG) + "\n")
    return {"log": path}


def new_analysis(given: Given) -> NewAnalysis:
    return NewAnalysis((str(given["log"]),), why="complaint of 3 November")


def analysed(home: Home) -> Given:
    found = home.product.logs.analyse(new_analysis(log(home)), home.actor("reviewer"))
    body: dict[str, Any] = found["body"]
    session = next(s["id"] for s in body["sessions"] if s["class"] == "RESULTS_VIEWED")
    secret = home.folder
    given = {"analysis": body["analysis"], "session": session, "file": secret}
    if home.team is not None:
        _, second = home.product.create_token("second", ["proxylog:unmask"], None, home.actor("authoriser"))
    else:
        _, second = home.product.create_token("second", ["proxylog:unmask"], None, home.actor("administrator"))
    secret.write_text(second)
    return given | {"second": second}


def site(home: Home) -> Given:
    name = home.name("site")
    path = home.folder.with_suffix(".toml")
    shipped = (SHIPPED / "pimeyes.toml").read_text()
    path.write_text(shipped.replace('"pimeyes"', f'"{name}"', 1).replace("pimeyes.com", f"{name}.example"))
    return {"path": path, "name": name}


def added_site(home: Home) -> Given:
    given = site(home)
    home.product.logs.add_profile(given["path"], home.actor("administrator"))
    return given


def until() -> date:
    return date.today() + timedelta(days=300)  # noqa: DTZ011


def documents(given: Given) -> list[str]:
    return ["organisation", "--policy", "POL-8", "--policy-until", until().isoformat()]


def with_other_settings(home: Home, given: Given) -> None:
    home.place.open(search={"limit": 7}).close()


def as_before(home: Home) -> None:
    home.place.open().close()


def taken_away(home: Home) -> Given:
    """A copy of the keys, to be put back."""
    given = file(home)
    export_keys(home.product.key_ring, given["file"], home.actor("administrator"))
    return given | {"home": home.place}


def put_back(product: Countenance, who: Actor, given: Given) -> object:
    place = given["home"]
    return import_keys(place.where, given["file"], who, force=True)


ACTS = (
    Act(
        "a setting is changed",
        ("settings.changed",),
        operation="alteration",
        job=with_other_settings,
        by=machine,
        via="opening",
        after=as_before,
        alone=True,
    ),
    Act(
        "a document is named",
        ("people.profile-set",),
        command=Command("profile set", documents),
        python=lambda product, who, given: product.people.set_profile(
            "organisation", Document("POL-8", until()), None, who
        ),
    ),
    Act(
        "a backup is made",
        ("backup.made",),
        operation="disclosure",
        before=passphrase,
        command=Command("backup", lambda given: [given["file"], "--passphrase-file", given["words"]]),
        python=lambda product, who, given: back_up(product.eraser.home, given["file"], To(PASSPHRASE), who),
    ),
    Act(
        "keys are exported",
        ("keys.exported",),
        operation="disclosure",
        before=file,
        command=Command("keys export", lambda given: [given["file"]]),
        python=lambda product, who, given: export_keys(product.key_ring, given["file"], who),
    ),
    Act(
        "keys are put back",
        ("keys.imported",),
        operation="alteration",
        before=taken_away,
        command=Command("keys import", lambda given: [given["file"], "--force"]),
        python=put_back,
        alone=True,
    ),
    Act(
        "proxy logs are analysed beside the ledger",
        ("proxylog.started", "proxylog.analysed"),
        "reviewer",
        "combination",
        log,
        command=Command("proxylog analyse", lambda given: [given["log"], "--why", "complaint"]),
        python=lambda product, who, given: product.logs.analyse(new_analysis(given), who),
    ),
    Act(
        "a session is unmasked",
        ("proxylog.unmasked",),
        operation="consultation",
        before=analysed,
        http=api(
            "POST",
            "/proxylog/analyses/{analysis}/sessions/{session}/unmask",
            lambda given: {"reason": REASON, "second": given["second"]},
        ),
        command=Command(
            "proxylog unmask",
            lambda given: [given["session"], "--reason", REASON, "--second-token-file", given["file"]],
        ),
        python=lambda product, who, given: product.logs.unmask(
            Unmasking(given["session"], REASON, given["second"], given["analysis"]), who
        ),
        alone=True,
    ),
    Act(
        "an analysis is erased",
        ("erasure",),
        "administrator",
        "erasure",
        analysed,
        command=Command("proxylog remove", lambda given: [given["analysis"], "--yes"]),
        python=lambda product, who, given: product.erase(product.eraser.plan_analyses([given["analysis"]]), who),
    ),
    Act(
        "a site's profile is added",
        ("proxylog.profile-added",),
        before=site,
        command=Command("proxylog profiles", lambda given: ["--add", given["path"]]),
        python=lambda product, who, given: product.logs.add_profile(given["path"], who),
    ),
    Act(
        "a site's profile is dropped",
        ("proxylog.profile-dropped",),
        before=added_site,
        command=Command("proxylog profiles", lambda given: ["--drop", given["name"]]),
        python=lambda product, who, given: product.logs.drop_profile(given["name"], who),
    ),
)

LAST = (
    Act(
        "the key of templates is changed",
        ("key.rotated",),
        operation="alteration",
        command=Command("keys rotate", lambda given: ["templates"]),
        alone=True,
    ),
    Act(
        "the signing key is changed",
        ("ledger.key-rotated",),
        operation="alteration",
        command=Command("keys rotate", lambda given: ["ledger"]),
        alone=True,
    ),
)
"""After these the home that is served has keys that another process changed: they come last."""
