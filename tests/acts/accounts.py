"""Acts on accounts, roles, tokens, and at the door."""

from __future__ import annotations

import pyotp

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn
from countenance.services import recovery
from countenance.services.people import subject_digest
from countenance.services.sign_in import NOBODY, Visitor, csrf_of
from tests.acts.stage import Command, Given, Home, Http
from tests.acts.table import Act, api
from tests.teams import HERE, PASSWORD

SUBJECT = subject_digest("https://id.example", "somebody")
LONG = "another copper lantern drives slowly"


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


# At the door


def inside(home: Home) -> Given:
    """Somebody with a password, and a session of their own."""
    given = somebody(home, set_up=True)
    account = home.product.people.account(given["account"])
    secret = home.product.people.door.begin(account, "tests", HERE).secret
    return given | {"cookie": secret, "csrf": csrf_of(secret)}


def begun(home: Home) -> Given:
    """With an authenticator that waits to be confirmed."""
    given = inside(home)
    own, account = home.product.people.own, home.product.people.account(given["account"])
    own.begin_authenticator(account)
    return given | {"code": pyotp.TOTP(own.waiting_secret(account)).now()}


def factored(home: Home) -> Given:
    """With an authenticator in use, and its recovery codes."""
    given = begun(home)
    account = home.product.people.account(given["account"])
    codes = home.product.people.own.confirm_authenticator(account, given["code"], Actor(account.user, "page"))
    return given | {"recovery": codes[0]}


def himself(home: Home, given: Given) -> str:
    return f"user:{given['account']}"


def nobody(home: Home, given: Given) -> str:
    return NOBODY


def signing(given: Given) -> dict[str, str]:
    return {"name": given["name"], "password": PASSWORD}


def wrong(given: Given) -> dict[str, str]:
    return signing(given) | {"password": "wrong lantern drives slowly"}


def often_wrong(home: Home) -> Given:
    """The next failure is the one too many for this account."""
    given = somebody(home, set_up=True)
    door = home.product.people.door
    for n in range(4):
        try:
            door.by_password(given["name"], "wrong lantern drives slowly", None, Visitor(f"198.51.{n}.2"))
        except NotSignedIn:
            continue
    return given


def by_link(home: Home) -> Given:
    return {"code": home.served.sessions.mint_link()}


def in_by_link(home: Home) -> Given:
    opened = home.served.sessions.redeem(home.served.sessions.mint_link())
    return {"cookie": opened.secret, "csrf": opened.csrf}


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


def own(path: str, body: object = None, **more: object) -> Http:
    """What a page of one's own account sends."""
    return Http("POST", path, body, **more)  # type: ignore[arg-type]


def by_subject(product: Countenance, who: Actor, given: Given) -> None:
    product.people.door.by_provider(lambda: given["subject"], Visitor("198.51.100.3"))


def by_nobody(product: Countenance, who: Actor, given: Given) -> None:
    def bent() -> str:
        raise NotSignedIn("the provider did not sign you in")

    try:
        product.people.door.by_provider(bent, Visitor("198.51.100.4"))
    except NotSignedIn:
        return
    raise AssertionError("nobody was signed in")


PEOPLE = (
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
        command=Command("token create", lambda given: [given["name"], "--scope", "status:read"]),
        python=lambda product, who, given: product.create_token(given["name"], ["status:read"], None, who),
    ),
    Act(
        "a token is revoked",
        ("token.revoked",),
        before=token,
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

DOOR = (
    Act(
        "somebody signs in",
        ("session.begun",),
        before=lambda home: somebody(home, set_up=True),
        page=Http("POST", "/sign-in", signing),
        by=himself,
    ),
    Act(
        "signing in fails",
        ("session.refused",),
        before=lambda home: somebody(home, set_up=True),
        page=Http("POST", "/sign-in", wrong, fails=True),
        by=nobody,
    ),
    Act(
        "signing in fails once too often",
        ("session.locked", "session.refused"),
        before=often_wrong,
        page=Http("POST", "/sign-in", wrong, fails=True),
        by=nobody,
    ),
    Act(
        "somebody signs out",
        ("session.ended",),
        before=inside,
        page=Http("POST", "/leave", form=lambda given: {}),
        by=himself,
    ),
    Act(
        "an account is set up",
        ("people.password-set", "session.begun"),
        before=somebody,
        page=Http("POST", "/set-up", lambda given: {"code": given["code"], "password": PASSWORD}),
        by=himself,
    ),
    Act(
        "a set-up code is wrong",
        ("session.refused",),
        page=Http("POST", "/set-up", lambda given: {"code": "wrong", "password": PASSWORD}, fails=True),
        by=nobody,
    ),
    Act(
        "a password is changed",
        ("people.password-set", "session.begun"),
        before=inside,
        page=own("/account/password", lambda given: {"password": PASSWORD, "new": LONG}),
        by=himself,
    ),
    Act(
        "the password was not right",
        ("session.refused",),
        before=inside,
        page=own("/account/password", lambda given: {"password": "wrong", "new": LONG}, fails=True),
        by=nobody,
    ),
    Act(
        "every session is ended",
        ("people.sessions-ended", "session.begun"),
        before=inside,
        page=own("/account/sessions/end"),
        by=himself,
    ),
    Act(
        "an authenticator is begun",
        (),
        before=inside,
        page=own("/account/authenticator", lambda given: {"password": PASSWORD}),
    ),
    Act(
        "an authenticator is taken into use",
        ("people.factor-added", "people.codes-made"),
        before=begun,
        page=own("/account/authenticator/confirm", lambda given: {"code": given["code"]}),
        by=himself,
    ),
    Act(
        "an authenticator is removed",
        ("people.factor-removed",),
        before=factored,
        page=own("/account/authenticator/remove", lambda given: {"password": PASSWORD}),
        by=himself,
    ),
    Act(
        "recovery codes are made",
        ("people.codes-made",),
        before=factored,
        page=own("/account/codes", lambda given: {"password": PASSWORD}),
        by=himself,
    ),
    Act(
        "a recovery code is used",
        ("people.code-used", "session.begun"),
        before=factored,
        page=Http("POST", "/sign-in", lambda given: signing(given) | {"code": given["recovery"]}),
        by=himself,
    ),
    Act(
        "the code is wrong",
        ("session.refused",),
        before=factored,
        page=Http("POST", "/sign-in", lambda given: signing(given) | {"code": "000000"}, fails=True),
        by=nobody,
    ),
    Act(
        "somebody comes from the provider",
        ("session.begun",),
        before=with_subject,
        python=by_subject,
        by=himself,
        via="page",
    ),
    Act("somebody comes from the provider in vain", ("session.refused",), python=by_nobody, by=nobody, via="page"),
    Act(
        "the one-time link is followed",
        ("session.begun",),
        before=by_link,
        page=Http("POST", "/enter", lambda given: {"code": given["code"]}),
        alone=True,
    ),
    Act(
        "a link opens nothing",
        ("session.refused",),
        page=Http("POST", "/enter", lambda given: {"code": "used"}, fails=True),
        by=nobody,
        alone=True,
    ),
    Act(
        "who came by the link leaves",
        ("session.ended",),
        before=in_by_link,
        page=Http("POST", "/leave", form=lambda given: {}),
        alone=True,
    ),
)
ACTS = PEOPLE + DOOR
