"""The daily mail of the checkpoint, through a real SMTP server on loopback; what comes checks a later bundle."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, LedgerUnavailable, Unavailable
from countenance.ledger.log import Ledger
from countenance.services.effective import effective, told
from countenance.settings import MailSettings, Settings
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests.places import TESTER, Place, grant, kinds
from tests.post_office import PostOffice, post_office
from tests.web.test_exposure import certificate as certificate

CLOCK = Actor("os:clock", "clock")
TO = ("overseer@example.org", "court@example.org")


def mailing(place: Place, office: PostOffice, **more: Any) -> Countenance:
    settings = {"host": "127.0.0.1", "port": office.port, "security": "none", "sender": "log@example.org", "to": TO}
    return place.open(mail=MailSettings(**(settings | more)))


def test_the_mail_holds_what_checks_a_later_bundle(house: Place, tmp_path: Path) -> None:
    with post_office(PostOffice()) as office:
        product = mailing(house, office)
        size = product.ledger_size
        sent = product.post.send(TESTER)
        (mail,) = office.mails
        assert (mail["From"], mail["To"], office.recipients) == ("log@example.org", ", ".join(TO), list(TO))
        assert kinds(product)[size:] == ["ledger.mailed"]
        assert b"example.org" not in (house.home / "ledger" / "entries.jsonl").read_bytes()
        (attached,) = mail.iter_attachments()
        (tmp_path / str(attached.get_filename())).write_bytes(attached.get_content())
        line = next(line.strip() for line in mail.get_body().get_content().splitlines() if "--since" in line)  # type: ignore[union-attr]
        assert line == sent["command"]
        grant(product, "album")
        (tmp_path / "BUNDLE").write_bytes(product.ledger_bundle(TESTER))
        words = [word.strip("'") for word in line.removeprefix("python ").split()]
        run = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        assert product.post.send(TESTER, ["somebody@example.org"])["recipients"] == 1
        assert office.recipients[-1] == "somebody@example.org"


def test_once_a_day_and_again_when_it_failed(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    at = moments.now().replace(hour=9, minute=0)
    monkeypatch.setattr(moments, "now", lambda: at)
    with post_office(PostOffice(closed=True)) as office:
        product = mailing(house, office)
        with pytest.raises(Unavailable, match="did not take"):
            product.post.keep(CLOCK)
        assert product.post.state()["error"]
        faults = [f["what"] for f in product.examine()["findings"] if f["severity"] == "fault"]
        assert any("not mailed" in what for what in faults)
        office.closed = False
        product.post.keep(CLOCK)
        assert office.mails == [], "not before a quarter of an hour has gone by"
        at += timedelta(minutes=16)
        product.post.keep(CLOCK)
        assert (len(office.mails), product.post.state()["error"]) == (1, None)
        at += timedelta(hours=8)
        product.post.keep(CLOCK)
        assert len(office.mails) == 1
    product.close()
    house.opened.clear()
    with post_office(PostOffice()) as office:
        again = mailing(house, office)
        again.post.keep(CLOCK)
        assert office.mails == [], "a restart mails nothing twice"
        at += timedelta(hours=13)
        again.post.keep(CLOCK)
        assert len(office.mails) == 1
        assert not again.post.state()["late"]
        at += timedelta(days=2)
        assert again.post.state()["late"]
    at += timedelta(days=1)
    with pytest.raises(Unavailable, match="not reached"):
        again.post.keep(CLOCK)


def test_the_server_s_clock_mails(house: Place) -> None:
    with post_office(PostOffice()) as office:
        product = mailing(house, office)
        with _keeping_time(product, seconds=0.02):
            until = time.monotonic() + 20
            while kinds(product)[-1] != "ledger.mailed" and time.monotonic() < until:
                time.sleep(0.02)
        assert len(office.mails) == 1


def test_an_entry_that_cannot_be_written_does_not_mail_every_minute(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with post_office(PostOffice()) as office:
        product = mailing(house, office)

        def full(*_: Any, **__: Any) -> None:
            raise LedgerUnavailable("the disk is full")

        monkeypatch.setattr(Ledger, "append", full)
        with pytest.raises(LedgerUnavailable):
            product.post.keep(CLOCK)
        product.post.keep(CLOCK)
        assert len(office.mails) == 1
        assert product.post.state()["error"]


def test_tls_and_a_password_out_of_a_file(
    house: Place, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, secret = tmp_path / "both.pem", tmp_path / "password"
    both.write_bytes(certificate[0].read_bytes() + certificate[1].read_bytes())
    secret.write_text("copper lantern\n")
    monkeypatch.setattr("socket.getaddrinfo", _at_home)
    for at_once in (False, True):
        with post_office(PostOffice(tls=both, at_once=at_once, login=("log", "copper lantern"))) as office:
            more: dict[str, Any] = {"host": "faces.example.org", "security": "tls" if at_once else "starttls"}
            product = mailing(house, office, **more, ca_file=certificate[0], user="log", password_file=secret)
            product.post.send(TESTER)
            assert len(office.mails) == 1
            product.close()
            stranger = mailing(house, office, **more, user="log", password_file=secret)
            with pytest.raises(Unavailable):
                stranger.post.send(TESTER)
            assert len(office.mails) == 1, "to a server that nobody vouches for nothing is sent"
            stranger.close()


def _at_home(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    import socket

    assert host in ("faces.example.org", "127.0.0.1")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_it_is_off_by_default_and_never_bares_a_password(product: Countenance, house: Place) -> None:
    product.post.keep(CLOCK)
    with pytest.raises(BadInput, match="not set up"):
        product.post.send(TESTER, ["overseer@example.org"])
    product.close()
    bare = house.open(
        mail=MailSettings(host="mail.example.org", security="none", sender="a@b.c", to=TO, user="a", password="secret")
    )
    with pytest.raises(BadInput, match="in the clear"):
        bare.post.send(TESTER)
    with pytest.raises(ValueError, match="sender"):
        MailSettings(host="mail.example.org", to=TO)
    values = effective(Settings(mail=MailSettings(to=TO, sender="a@b.c", password="copper lantern")))
    assert told(values)["mail.to"] == "an address"
    assert "copper" not in str(values)
