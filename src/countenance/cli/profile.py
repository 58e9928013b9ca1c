"""`countenance init`, `countenance profile`, `countenance recovery`: what a home is, and its last resort."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply
from countenance.domain.errors import BadInput

profile_app = typer.Typer(no_args_is_help=True, help="Show or change whose home this is, and its documents.")
recovery_app = typer.Typer(no_args_is_help=True, help="The last resort when no administrator can sign in.")

Policy = Annotated[str | None, typer.Option(help="Id of the policy document (organisation).")]
PolicyUntil = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day on which the policy holds.")
]
Dpia = Annotated[str | None, typer.Option(help="Id of the data protection impact assessment (organisation).")]
DpiaUntil = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day on which the assessment holds.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(
    profile: Annotated[str, typer.Option(help="personal, or organisation.")] = "personal",
    policy: Policy = None,
    policy_until: PolicyUntil = None,
    dpia: Dpia = None,
    dpia_until: DpiaUntil = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Make a home. Without this, the first command makes a personal one.

    An organisation's home names its policy document and its impact assessment, and can never become personal again.

    Example: countenance init --profile organisation --policy POL-7 --policy-until 2027-06-30 --dpia DPIA-2026-04
    --dpia-until 2027-06-30
    """
    from countenance.services.people import document
    from countenance.services.profile import made

    reply = Reply(json)
    _known(profile)
    named = (document(policy, _day(policy_until), "policy"), document(dpia, _day(dpia_until), "dpia"))
    if profile == "personal" and any(named):
        raise BadInput("a personal home names no documents", advice="they are for --profile organisation")
    with options.opened(home, key_dir, act=None, making=made(profile, *named)) as countenance:
        body = {"home": str(countenance.home)} | countenance.people.profile.as_json()
    if not reply.object(body):
        reply.say(f"Made the home {body['home']}, {profile}.")
        if profile == "organisation":
            reply.say("Next: countenance user add NAME --role administrator")


@profile_app.command()
def show(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Show whose home this is and which documents it rests on.

    Example: countenance profile show
    """
    from countenance.store.moments import now

    reply = Reply(json)
    with options.opened(home, key_dir, act="profile:read") as countenance:
        found = countenance.people.profile
    today = now().date()
    body = found.as_json() | {"lapsed": found.lapsed(today), "lapsing": found.lapsing(today)}
    if not reply.object(body):
        reply.facts("Profile", body)


@profile_app.command("set")
def set_profile(
    profile: Annotated[str, typer.Argument(help="organisation; or personal, which changes nothing.")],
    policy: Policy = None,
    policy_until: PolicyUntil = None,
    dpia: Dpia = None,
    dpia_until: DpiaUntil = None,
    yes: options.Yes = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Name the documents in force, or turn a personal home into an organisation's, which cannot be undone.

    Example: countenance profile set organisation --policy POL-8 --policy-until 2028-06-30
    """
    from countenance.services.people import document

    reply = Reply(json)
    _known(profile)
    with options.opened(home, key_dir, act="profile:write") as countenance:
        before = countenance.people.profile
        if profile == "organisation" and not before.two_people and not yes:
            if json:
                raise BadInput("there is no way back: this needs a yes", advice="add --yes")
            typer.confirm("This home becomes an organisation's, and never a personal one again?", abort=True, err=True)
        after = countenance.people.set_profile(
            profile,
            document(policy, _day(policy_until), "policy"),
            document(dpia, _day(dpia_until), "dpia"),
            options.actor(countenance),
        )
    if not reply.object(after.as_json()):
        reply.facts("Profile", after.as_json())


@recovery_app.command()
def make(home: options.Home = None, key_dir: options.KeyDir = None, json: options.Json = False) -> None:
    """Make two secrets for two holders, who together can restore a lost last administrator. Shown this once.

    Example: countenance recovery make
    """
    from countenance.services import recovery

    reply = Reply(json)
    with options.opened(home, key_dir, act="recovery") as countenance:
        first, second = recovery.make(countenance.people, options.actor(countenance))
    if not reply.object({"secrets": [first, second]}):
        reply.say("Two secrets, shown this once. Give them to two people who keep them apart:")
        reply.say(first)
        reply.say(second)


@recovery_app.command()
def use(
    name: Annotated[str, typer.Argument(help="The account that becomes administrator; it is made if need be.")],
    first_file: Annotated[Path | None, typer.Option(help="File with one secret, instead of typing it.")] = None,
    second_file: Annotated[Path | None, typer.Option(help="File with the other.")] = None,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    json: options.Json = False,
) -> None:
    """Restore an administrator with both secrets. It is entered, uses them up, and is shown to everybody for a month.

    Example: countenance recovery use anna@example.org
    """
    from countenance.services import recovery

    reply = Reply(json)
    first, second = _secret(first_file, "The first secret", json), _secret(second_file, "The second secret", json)
    with options.opened(home, key_dir, act=None) as countenance:
        account, code = recovery.use(countenance.people, first, second, name, options.actor(countenance))
    if not reply.object(account.as_json() | {"setup_code": code}):
        reply.say(f"{account.name} is an administrator again. The set-up code, shown this once:")
        reply.say(code)
        reply.say("The secrets are used up; make new ones: countenance recovery make")


def _secret(file: Path | None, what: str, json: bool) -> str:
    if file is None:
        if json:
            raise BadInput("with --json the secrets come from files", advice="give --first-file and --second-file")
        return str(typer.prompt(what, hide_input=True, err=True))
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{file.name} cannot be read", advice="give a file that holds one secret") from None


def _known(profile: str) -> None:
    from countenance.domain.people import PROFILES

    if profile not in PROFILES:
        raise BadInput(f"there is no profile called {profile}", advice=f"choose from {', '.join(PROFILES)}")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
