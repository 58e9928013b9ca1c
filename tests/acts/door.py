"""Acts at the door: signing in and out, and what people change of their own account."""

from __future__ import annotations

import pyotp

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import NotSignedIn
from countenance.services.sign_in import NOBODY, Visitor, csrf_of
from tests.acts.accounts import somebody, with_subject
from tests.acts.stage import Given, Home, Http
from tests.acts.table import Act
from tests.teams import HERE, PASSWORD

LONG = "another copper lantern drives slowly"


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


ACTS = (
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
