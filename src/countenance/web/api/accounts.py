"""/accounts: who there is and what they may do. For administrators; auditors read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from countenance.domain.people import Account
from countenance.web.api.shapes import Answer, Asked, BigInt, Word
from countenance.web.callers import AccountsReader, AccountsWriter, House
from countenance.web.problems import responses

router = APIRouter(prefix="/accounts", tags=["accounts"])

Role = Literal["requester", "authoriser", "reviewer", "auditor", "administrator", "subject"]
AccountInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", description="An account's id.")]


class AccountAsked(Asked):
    """A new account. In a personal home there is one, with every role."""

    name: Word
    roles: list[Role] = Field(min_length=1, max_length=6)


class RolesAsked(Asked):
    roles: list[Role] = Field(min_length=1, max_length=6)


class LinkAsked(Asked):
    """A user of the server's operating system, or the digest that the provider's page shows."""

    system_user: Word | None = None
    subject: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


class AccountShown(Answer):
    """An account; never a secret. `entry` is the ledger entry that made it."""

    id: str
    name: str
    roles: list[str]
    state: Literal["live", "waiting", "disabled"]
    authenticator: bool
    passkeys: int
    recovery_codes: int
    system_users: list[str]
    linked: int
    entry: int = Field(le=BigInt)


class AccountMade(AccountShown):
    """With the code that sets it up, shown this once."""

    setup_code: str


class Accounts(Answer):
    accounts: list[AccountShown]


@router.get("", response_model=Accounts, responses=responses())
def list_accounts(house: House, caller: AccountsReader) -> dict[str, Any]:
    """Every account and its roles. Scope: `accounts:read`."""
    return {"accounts": [account.as_json() for account in house.people.accounts()]}


@router.post("", status_code=201, response_model=AccountMade, responses=responses(409))
def add(house: House, caller: AccountsWriter, asked: AccountAsked) -> dict[str, Any]:
    """Make an account, and a code with which its owner sets it up. Scope: `accounts:write`."""
    return _made(*house.people.add(asked.name, asked.roles, caller.actor))


@router.post("/{account}/roles", response_model=AccountShown, responses=responses())
def set_roles(house: House, caller: AccountsWriter, account: AccountInPath, asked: RolesAsked) -> dict[str, Any]:
    """Give it these roles in place of those it has. Scope: `accounts:write`."""
    return house.people.set_roles(account, asked.roles, caller.actor).as_json()


@router.post("/{account}/disable", response_model=AccountShown, responses=responses())
def disable(house: House, caller: AccountsWriter, account: AccountInPath) -> dict[str, Any]:
    """Close it, with its sessions and tokens, at once. Scope: `accounts:write`."""
    return house.people.disable(account, caller.actor).as_json()


@router.post("/{account}/enable", response_model=AccountShown, responses=responses())
def enable(house: House, caller: AccountsWriter, account: AccountInPath) -> dict[str, Any]:
    """Open a closed account again. Scope: `accounts:write`."""
    return house.people.enable(account, caller.actor).as_json()


@router.post("/{account}/reset", response_model=AccountMade, responses=responses())
def reset(house: House, caller: AccountsWriter, account: AccountInPath) -> dict[str, Any]:
    """Forget how it is signed in to, and make a new set-up code. Scope: `accounts:write`."""
    return _made(*house.people.reset(account, caller.actor))


@router.post("/{account}/link", response_model=AccountShown, responses=responses(409))
def link(house: House, caller: AccountsWriter, account: AccountInPath, asked: LinkAsked) -> dict[str, Any]:
    """Let a system user, or a subject of the identity provider, act as it. Scope: `accounts:write`."""
    house.people.link(account, caller.actor, system_user=asked.system_user, subject=asked.subject)
    return house.people.account(account).as_json()


def _made(account: Account, code: str) -> dict[str, Any]:
    return account.as_json() | {"setup_code": code}
