"""`countenance ledger mail`: the checkpoint goes out from cron, too, and that is one entry."""

from __future__ import annotations

from tests.places import Place, kinds
from tests.post_office import PostOffice, post_office


def test_mailing_from_the_command_line_is_one_entry(house: Place) -> None:
    with post_office(PostOffice()) as office:
        mail = {"host": "127.0.0.1", "port": str(office.port), "security": "none", "sender": "log@example.org"}
        env = {f"COUNTENANCE_MAIL__{name.upper()}": value for name, value in mail.items()}
        told = house.command("ledger", "mail", "--to", "overseer@example.org", "--json", env=env)
        assert told.code == 0, told.err
        assert (told.json["recipients"], office.recipients) == (1, ["overseer@example.org"])
    product = house.open()
    assert [kind for kind in kinds(product) if kind.startswith("ledger.")] == ["ledger.mailed"]
    made = next(e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "ledger.mailed")
    assert (made["seq"], made["body"]["via"]) == (told.json["entry"], "command")
