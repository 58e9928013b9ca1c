"""Acts on accounts, roles and tokens, and the last resort."""

from __future__ import annotations

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn
from countenance.services import recovery
from countenance.services.people import subject_digest
from countenance.services.sign_in import Visitor
from tests.acts.stage import Command, Given, Home, Http
from tests.acts.table import Act, api
from tests.teams import PASSWORD

SUBJECT = subject_digest("https://id.example", "somebody")


def fresh(home: Home) -> Given:
    return {"name": home.name("name")}


def somebody(home: Home, *, set_up: bool = False) -> Given:
    """An account of its own."""
    name = home.name("somebody")
    people = home.product.people
    account, code = people.add(name, ["reviewer"], home.actor("administrator"))
    if set_up:
        people.door.set_up(code, PASSWORD, Visitor("198.51.100.1"))
    return {"name": name, "account": account.id, "code": code, "system_user": home.name("os"), "subject": SUBJECT}


def disabled(home: Home) -> Given:
    given = somebody(home)
    home.product.people.disable(given["account"], home.actor("administrator"))
    return given


def linked(home: Home) -> Given:
    given = somebody(home)
    home.product.people.link(given["account"], home.actor("administrator"), system_user=given["system_user"])
    return given


def with_subject(home: Home) -> Given:
    given = somebody(home) | {"subject": subject_digest("https://id.example", home.name("subject"))}
    home.product.people.link(given["account"], home.actor("administrator"), subject=given["subject"])
    return given


def subject(home: Home) -> Given:
    return somebody(home) | {"subject": subject_digest("https://id.example", home.name("subject"))}


def token(home: Home) -> Given:
    made, _ = home.product.create_token("to go", ["status:read"], None, home.actor("administrator"))
    return {"token": made.id}


def secrets(home: Home) -> Given:
    first, second = recovery.make(home.product.people, home.actor("administrator"))
    files = []
    for secret in (first, second):
        files.append(home.folder)
        files[-1].write_text(secret)
    return {"name": home.name("restored"), "first": first, "second": second, "files": files}


def bad_secrets(home: Home) -> Given:
    given = secrets(home)
    given["files"][1].write_text("ctr_wrong")
    return given | {"second": "ctr_wrong"}


def recover_words(given: Given) -> list[object]:
    first, second = given["files"]
    return [given["name"], "--first-file", first, "--second-file", second]


def recover(product: Countenance, who: Actor, given: Given) -> None:
    try:
        recovery.use(product.people, given["first"], given["second"], given["name"], who)
    except NotSignedIn:
        assert given["second"] == "ctr_wrong"


ACTS = (
    Act(
        "an account is made",
        ("people.added",),
        before=fresh,
        http=api("POST", "/accounts", lambda given: {"name": given["name"], "roles": ["reviewer"]}),
        command=Command("user add", lambda given: [given["name"], "--role", "reviewer"]),
        python=lambda product, who, given: product.people.add(given["name"], ["reviewer"], who),
    ),
    Act(
        "an account is made and linked",
        ("people.added", "people.system-user-linked"),
        before=fresh,
        command=Command(
            "user add", lambda given: [given["name"], "--role", "reviewer", "--system-user", given["name"]]
        ),
        python=lambda product, who, given: product.people.add(
            given["name"], ["reviewer"], who, system_user=given["name"]
        ),
    ),
    Act(
        "roles are changed",
        ("people.roles-changed",),
        before=somebody,
        http=api("POST", "/accounts/{account}/roles", lambda given: {"roles": ["requester"]}),
        command=Command("user roles", lambda given: [given["name"], "--role", "requester"]),
        python=lambda product, who, given: product.people.set_roles(given["name"], ["requester"], who),
    ),
    Act(
        "an account is closed",
        ("people.disabled",),
        before=somebody,
        http=api("POST", "/accounts/{account}/disable"),
        command=Command("user disable", lambda given: [given["name"]]),
        python=lambda product, who, given: product.people.disable(given["name"], who),
    ),
    Act(
        "an account is opened again",
        ("people.enabled",),
        before=disabled,
        http=api("POST", "/accounts/{account}/enable"),
        command=Command("user enable", lambda given: [given["name"]]),
        python=lambda product, who, given: product.people.enable(given["name"], who),
    ),
    Act(
        "an account is reset",
        ("people.reset",),
        before=somebody,
        http=api("POST", "/accounts/{account}/reset"),
        command=Command("user reset", lambda given: [given["name"]]),
        python=lambda product, who, given: product.people.reset(given["name"], who),
    ),
    Act(
        "a system's user is linked",
        ("people.system-user-linked",),
        before=somebody,
        http=api("POST", "/accounts/{account}/link", lambda given: {"system_user": given["system_user"]}),
        command=Command("user link", lambda given: [given["name"], "--system-user", given["system_user"]]),
        python=lambda product, who, given: product.people.link(given["name"], who, system_user=given["system_user"]),
    ),
    Act(
        "a provider's subject is linked",
        ("people.subject-linked",),
        before=subject,
        http=api("POST", "/accounts/{account}/link", lambda given: {"subject": given["subject"]}),
        command=Command("user link", lambda given: [given["name"], "--subject", given["subject"]]),
        python=lambda product, who, given: product.people.link(given["name"], who, subject=given["subject"]),
    ),
    Act(
        "a system's user is linked no more",
        ("people.system-user-unlinked",),
        before=linked,
        command=Command("user unlink", lambda given: [given["name"], "--system-user", given["system_user"]]),
        python=lambda product, who, given: product.people.unlink(given["name"], who, system_user=given["system_user"]),
    ),
    Act(
        "a provider's subject is linked no more",
        ("people.subject-unlinked",),
        before=with_subject,
        command=Command("user unlink", lambda given: [given["name"], "--subjects"]),
        python=lambda product, who, given: product.people.unlink(given["name"], who, subjects=True),
    ),
    Act(
        "a token is made",
        ("token.created",),
        before=fresh,
        page=Http("POST", "/tokens", form=lambda given: {"name": given["name"], "days": "30", "scopes": "status:read"}),
        command=Command("token create", lambda given: [given["name"], "--scope", "status:read"]),
        python=lambda product, who, given: product.create_token(given["name"], ["status:read"], None, who),
    ),
    Act(
        "a token is revoked",
        ("token.revoked",),
        before=token,
        page=Http("POST", "/tokens/revoke", form=lambda given: {"token": given["token"]}),
        command=Command("token revoke", lambda given: [given["token"]]),
        python=lambda product, who, given: product.revoke_token(given["token"], who),
    ),
    Act(
        "recovery secrets are made",
        ("people.recovery-made",),
        command=Command("recovery make"),
        python=lambda product, who, given: recovery.make(product.people, who),
    ),
    Act(
        "recovery secrets are used",
        ("people.recovery-used", "people.added"),
        before=secrets,
        command=Command("recovery use", recover_words),
        python=recover,
    ),
    Act(
        "recovery is refused",
        ("people.recovery-refused",),
        before=bad_secrets,
        command=Command("recovery use", recover_words),
        python=recover,
    ),
)
