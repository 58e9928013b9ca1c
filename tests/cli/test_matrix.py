"""Every command with every role: one declared matrix, in which a new command has to be written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from countenance.access import roles
from countenance.cli.main import app
from countenance.domain.authority import Actor
from tests.places import Answer, Place
from tests.teams import ROLES, team_at

MACHINE = "the machine"
"""Looks at no home, or works on one whose keys are lost: whoever may read its files may do that."""

ANYBODY = "anybody"
"""Asks no role: a home that is made, and the last resort, for which two secrets are the leave."""

MATRIX = {
    "init": ANYBODY,
    "recovery use": ANYBODY,
    "recovery make": "recovery",
    "profile show": "profile:read",
    "profile set": "profile:write",
    "user add": "accounts:write",
    "user list": "accounts:read",
    "user roles": "accounts:write",
    "user disable": "accounts:write",
    "user enable": "accounts:write",
    "user reset": "accounts:write",
    "user link": "accounts:write",
    "user unlink": "accounts:write",
    "source add": "sources:write",
    "source list": "sources:read",
    "source show": "sources:read",
    "source refresh": "ingest",
    "source remove": "erase",
    "ingest": "ingest",
    "authority grant": "authorities:write",
    "authority list": "authorities:read",
    "authority show": "authorities:read",
    "authority revoke": "authorities:write",
    "authority request": "authorities:request",
    "authority requests": "authorities:read",
    "authority request-show": "authorities:read",
    "authority approve": "authorities:write",
    "authority decline": "authorities:write",
    "authority withdraw": "authorities:request",
    "authority close-case": "authorities:write",
    "review open": "search",
    "review list": "reviews:read",
    "review next": "reviews:judge",
    "review judge": "reviews:judge",
    "review reviewers": "reviews:read",
    "review controls": "reviews:controls",
    "review control-add": "reviews:controls",
    "review control-remove": "reviews:controls",
    "inspection draw": "inspections:draw",
    "inspection list": "inspections:read",
    "inspection show": "inspections:judge",
    "inspection check": "inspections:read",
    "inspection assign": "inspections:draw",
    "inspection find": "inspections:judge",
    "inspection follow-up": "inspections:judge",
    "inspection follow-ups": "inspections:answer",
    "inspection done": "inspections:answer",
    "oversee flags": "oversight:read",
    "oversee summary": "oversight:read",
    "oversee calibration": "oversight:read",
    "oversee acts": "oversight:read",
    "oversee act": "oversight:read",
    "report transparency": "oversight:read",
    "report oversight": "oversight:read",
    "breach": "oversight:read",
    "backup": "backup",
    "restore": MACHINE,
    "subject-report": "subject",
    "search": "search",
    "export": "export",
    "erase": "erase",
    "ledger verify": "ledger:read",
    "ledger export": "ledger:read",
    "ledger checkpoint": "status:read",
    "ledger mail": "ledger:mail",
    "ledger tiles": "ledger:read",
    "ledger witness": "ledger:witness",
    "ledger stamp": "ledger:witness",
    "witness key": MACHINE,
    "witness serve": MACHINE,
    "witness status": MACHINE,
    "ledger key": "ledger:read",
    "ledger show": "ledger:read",
    "proxylog analyse": "proxylog:analyse",
    "proxylog list": "proxylog:read",
    "proxylog show": "proxylog:read",
    "proxylog explain": "proxylog:read",
    "proxylog unmask": "proxylog:unmask",
    "proxylog remove": "erase",
    "proxylog profiles": "proxylog:read",
    "proxylog formats": MACHINE,
    "keys show": "keys",
    "keys export": "keys",
    "keys rotate": "keys",
    "keys import": MACHINE,
    "keys replace-lost": MACHINE,
    "token create": "tokens",
    "token list": "tokens",
    "token revoke": "tokens",
    "retention run": "retention",
    "retention policy": "retention:read",
    "retention due": "retention:read",
    "retention receipts": "retention:read",
    "retention receipt": "retention:read",
    "hold place": "holds:write",
    "hold list": "holds:read",
    "hold show": "holds:read",
    "hold release": "holds:write",
    "serve": "serve",
    "status": "status:read",
    "doctor": MACHINE,
    "calibrate": MACHINE,
    "models install": MACHINE,
    "models list": MACHINE,
    "models show": MACHINE,
    "models verify": MACHINE,
}

GIVEN = {
    "hold place": ["--reason", "x", "--until", "30d"],
    "backup": [os.devnull, "--recipient", "age1nobody"],
    "report transparency": ["--from", "2026-01-01", "--to", "2026-02-01", "--out", "{folder}/shown.json"],
    "report oversight": ["--purpose", "lawfulness", "--out", "{folder}/shown.pdf"],
    "profile set": ["organisation"],
    "serve": ["--host", "192.0.2.1"],
    "inspection follow-up": ["I-000000000000", "--owner", "x", "--due", "2100-01-01", "--words", "x"],
    "keys rotate": ["templates"],
    "erase": ["--sighting", "sighting-1"],
    "user add": ["somebody", "--role", "king"],
    "user link": ["somebody", "--system-user", "x"],
    "user unlink": ["somebody", "--system-user", "x"],
    "proxylog unmask": ["V-000000000000", "--reason", "because it is asked", "--second-token-file", os.devnull],
}
"""Where what can be made up from the command's own options would not come as far as the role; `{folder}` is the
test's own."""


def leaves(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield name, command
    for child, inner in (children or {}).items():
        yield from leaves(inner, f"{name} {child}".strip())


COMMANDS = dict(leaves(typer.main.get_command(app)))


def words_for(name: str, command: Any, folder: Path) -> list[str]:
    """The command with something for all that it requires, and nothing that is there."""
    if name in GIVEN:
        return [*name.split(), *(word.format(folder=folder) for word in GIVEN[name]), "--json"]
    words = name.split()
    for parameter in command.params:
        if parameter.required:
            kind = parameter.type_descriptor.annotation
            value = {int: "1", float: "1", Path: str(folder / "not there")}.get(kind, "x")
            words += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return [*words, "--json"]


def test_every_command_is_in_the_matrix() -> None:
    assert sorted(COMMANDS) == sorted(MATRIX)
    assert set(MATRIX.values()) - {MACHINE, ANYBODY} <= set(roles.ACTS)


@pytest.mark.parametrize("role", [*ROLES, None])
def test_each_role_runs_its_own_commands_alone(
    role: str | None, place: Place, at: Callable[[Place], Callable[..., Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`None` is somebody of the machine who has no account."""
    with team_at(place).product as product:
        people = product.people
        admin = Actor(people.account("administrator").user, "page")
        user = "os-nobody"
        if role == "administrator":
            user = next(iter(people.account("administrator").system_users))
        elif role is not None:
            user = f"os-{role}"
            people.link(role, admin, system_user=user)
    place.opened.clear()
    run = at(place)
    monkeypatch.setenv("LOGNAME", user)
    for name, act in MATRIX.items():
        if act == MACHINE:
            continue
        made = place.root / "not there"
        shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
        answer = run(*words_for(name, COMMANDS[name], place.root))
        code = answer.json.get("error", {}).get("code")
        if act == ANYBODY:
            assert code != "role-missing", name
        else:
            allowed = role is not None and roles.may(role, act)
            assert (code == "role-missing") != allowed, (name, answer)
            assert code not in ("usage", "internal"), (name, answer)
