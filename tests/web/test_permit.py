"""The door of programs is no other door: it leads through the one permit."""

from __future__ import annotations

from typing import Any

import pytest

from countenance.index.embedded import EmbeddedIndex
from countenance.services import permit
from tests import pretend as pretended
from tests.places import grant

from .conftest import ACTOR, Served


def test_a_search_over_http_is_minted_once_and_spends_one_use(pretend: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    minted: list[str] = []
    looked: list[str] = []
    real_mint, real_search = permit.mint, EmbeddedIndex.search

    def mint(*args: Any, **named: Any) -> Any:
        leave = real_mint(*args, **named)
        minted.append(leave.search)
        return leave

    def search(self: EmbeddedIndex, leave: Any, *args: Any, **named: Any) -> Any:
        looked.append(leave.search)
        return real_search(self, leave, *args, **named)

    monkeypatch.setattr(permit, "mint", mint)
    monkeypatch.setattr(EmbeddedIndex, "search", search)
    product = pretend.product
    photograph = {"photograph": pretended.photograph("ada", note="asked")}
    with pretend.program() as program:
        seen = program.post("/faces", files=photograph)
        assert seen.status_code == 200
        assert (minted, looked) == ([], []), "looking for faces compares nothing"
        authority = grant(product, "album", searches=1, holder=ACTOR.user)
        answer = program.post("/searches", files=photograph, data={"authority": authority.id})
        assert answer.status_code == 201, answer.text
        assert minted == looked == [answer.json()["search"]]
        assert product.authority(authority.id).used == 1
        again = program.post("/searches", files=photograph, data={"authority": authority.id})
        assert (again.status_code, again.json()["code"]) == (403, "no-authority")
        assert len(looked) == 1
