"""Sessions on disk come back whole and in the one order, whatever order they were judged in."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from countenance.domain.errors import Unavailable
from countenance.domain.proxy import Session
from countenance.proxylog.sessions import place
from countenance.services.judged import Judged
from tests.proxylog import flows


def sessions() -> list[Session]:
    """Of people whose names and addresses sort differently by bytes, by UTF-16 and by length."""
    lines = []
    for who in ("eva", "Eva", "e", "eva2", "\u00e9va", "\uffee", "\U0001f600", "a b", "a"):
        for address in ("10.0.0.1", "10.0.0.10", "10.0.0.2", None):
            for site in ("pimeyes.com", "facecheck.id"):
                maker = flows.Maker(user=who, address=address)
                maker.tunnel(0, 60, 300_000, site)
                maker.tunnel(90_000.123456, 1, None, site)
                lines += maker.lines
    return list(flows.judged(lines, by="both"))


def test_they_come_back_as_they_were_and_in_order(tmp_path: Path) -> None:
    given = sessions()
    assert len(given) > 100
    random.Random(1).shuffle(given)
    judged = Judged(tmp_path)
    judged.keep(given)
    assert list(judged) == sorted(given, key=place)
    assert judged.people == {one.who for one in given if one.by == "user"}
    assert judged.tally.face.as_json()["sessions"] == len(given)
    file = tmp_path / "judged.db"
    assert file.stat().st_mode & 0o777 == 0o600
    judged.close()
    assert not file.exists()


def test_one_that_was_cut_off_is_judged_again(tmp_path: Path) -> None:
    given = sessions()
    Judged(tmp_path).keep(given)
    again = Judged(tmp_path)
    again.keep(given[:3])
    assert len(list(again)) == 3


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    judged = Judged(tmp_path)
    judged._db.execute("PRAGMA max_page_count = 8")
    with pytest.raises(Unavailable):
        judged.keep(sessions() * 20)
