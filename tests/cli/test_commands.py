"""Every command: one object with --json wherever it stands, errors as objects, exit codes, nothing heavy said aloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from countenance.app import system_actor
from countenance.cli import main
from countenance.ledger.note import VerifierKey
from countenance.ledger.verify import verify_bundle
from countenance.store import moments
from tests import pretend
from tests.places import Answer, Place, grant

Run = Callable[..., Answer]
At = Callable[[Place], Run]

PROBE = pretend.photograph("ada", note="asked")
CROWD = pretend.photograph("ada", "bob", "~eve", "cyd", note="asked")


def leaves(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    command = command or typer.main.get_command(main.app)
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, one in inner.items():
        yield from leaves(one, (*path, name))


LEAVES = dict(leaves())
NAMES = [" ".join(path) for path in LEAVES]


@pytest.fixture
def me(house: Place) -> str:
    """An authority of the user of the command, for both collections."""
    with house.open() as product:
        authority = grant(product, "album", "wall", holder=system_actor("command").user)
    house.opened.clear()
    return authority.id


@pytest.fixture
def photo(house: Place) -> Path:
    return house.put("probe.png", PROBE)


def test_there_are_all_the_commands() -> None:
    assert {path[0] for path in LEAVES} >= {
        "source", "ingest", "authority", "search", "erase", "ledger", "models", "keys", "token", "retention",
        "status", "doctor", "serve",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_command_knows_json_and_says_what_it_does(name: str) -> None:
    command = LEAVES[tuple(name.split())]
    assert any("--json" in parameter.opts for parameter in command.params)
    assert (command.help or "").strip()


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_understood_is_one_object_and_exit_2(name: str, run: Run) -> None:
    answer = run(*name.split(), "--no-such-option", "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "usage"
    assert answer.out.count("\n") == 1
    plain = run(*name.split(), "--no-such-option")
    assert (plain.code, plain.out) == (2, "")
    assert "no-such-option" in plain.err


PLAIN: dict[str, tuple[str, ...]] = {
    "status": (),
    "doctor": (),
    "source list": (),
    "source show": ("album",),
    "source refresh": ("album",),
    "ingest": ("album",),
    "authority list": (),
    "ledger verify": (),
    "ledger key": (),
    "ledger show": (),
    "models list": (),
    "models show": ("open",),
    "models verify": ("open",),
    "keys show": (),
    "token list": (),
    "retention run": (),
}


@pytest.mark.parametrize("name", PLAIN)
def test_json_is_one_object_at_the_end_of_the_line_and_words_otherwise(name: str, run: Run) -> None:
    words = (*name.split(), *PLAIN[name])
    answer = run(*words, "--json")
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    assert isinstance(answer.json, dict)
    assert "error" not in answer.json
    plain = run(*words)
    assert plain.code == 0
    assert plain.out.strip()
    assert not plain.out.lstrip().startswith("{")


def test_the_first_command_makes_the_home(place: Place, at: At) -> None:
    run = at(place)
    assert run("status", "--json").json["sources"] == 0
    assert place.where.is_home()
    assert run("ledger", "verify", "--json").json["ok"] is True


def test_options_win_over_the_environment(place: Place, at: At, tmp_path: Path) -> None:
    other = tmp_path / "another"
    run = at(place)
    answer = run("status", "--home", other, "--key-dir", tmp_path / "other-keys", "--json")
    assert answer.json["home"] == str(other)
    assert not place.home.exists()


def test_ingest_answers_as_its_contract_says(run: Run, house: Place) -> None:
    house.put("album/new.png", pretend.photograph("ada", "bob", note="new"))
    house.put("album/broken.png", pretend.photograph("ada", broken="corrupt"))
    answer = run("ingest", "album", "--json")
    assert answer.code == 0
    body = answer.json
    assert body.keys() >= {"source", "images", "faces", "indexed", "no_face", "skipped", "seconds"}
    assert (body["source"], body["images"], body["faces"], body["indexed"]) == ("album", 8, 2, 2)
    assert body["skipped"] == {"corrupt": 1}
    assert "pictures" in answer.err


def test_search_answers_as_its_contract_says(run: Run, me: str, photo: Path) -> None:
    from tests.cli.test_transcript import contract

    answer = run("search", photo, "--authority", me, "--json")
    assert answer.code == 0
    contract(answer.json)
    assert answer.json["self_approved"] is False
    # No candidate is no error.
    none = run("search", photo, "--authority", me, "--min-likeness", "0.999", "--json")
    assert (none.code, none.json["groups"], none.json["reliable"], none.json["truncated"]) == (0, [], False, False)
    one = run("search", photo, "--authority", me, "--limit", "1", "--json")
    assert (len(one.json["groups"]), one.json["truncated"]) == (1, True)
    plain = run("search", photo, "--authority", me)
    assert "never identities" in plain.out
    assert f"entry {none.json['receipt']['seq'] + 4}" in plain.out


def test_several_faces_are_numbered_by_size_and_nobody_guesses(run: Run, me: str, house: Place) -> None:
    crowd = house.put("crowd.png", CROWD)
    words = ("search", crowd, "--authority", me)
    answer = run(*words, "--json")
    assert answer.code == 3
    error = answer.json["error"]
    assert error["code"] == "several-faces"
    # The one who cannot be searched with keeps its number and is not offered.
    assert [face["n"] for face in error["faces"]] == [1, 2, 4]
    widths = [face["box"][2] for face in error["faces"]]
    assert widths == sorted(widths, reverse=True)
    plain = run(*words)
    assert (plain.code, plain.out) == (3, "")
    assert "face 2" in plain.err
    assert _used(house, me) == 0
    for choice, person in (("1", "ada"), ("2", "bob"), ("4", "cyd"), ("largest", "ada")):
        body = run(*words, "--face", choice, "--json").json
        best = pretend.parsed(Path(body["groups"][0]["sightings"][0]["image"].removeprefix("file://")).read_bytes())
        assert person in best["people"], choice
    assert _used(house, me) == 4
    each = run(*words, "--face", "each", "--json")
    assert len(each.json["searches"]) == 3
    assert _used(house, me) == 7
    for choice, code in (("3", 2), ("9", 2), ("0", 2), ("first", 2), ("-1", 2)):
        assert run(*words, "--face", choice, "--json").code == code
    assert _used(house, me) == 7


def test_what_was_found_of_the_faces_before_one_that_is_refused_is_shown(run: Run, house: Place) -> None:
    with house.open() as product:
        short = grant(product, "album", searches=2, holder=system_actor("command").user).id
    crowd = house.put("crowd-asked.png", pretend.photograph("ada", "bob", "cyd", note="asked"))
    words = ("search", crowd, "--authority", short, "--face", "each")
    answer = run(*words, "--json")
    assert answer.code == 4
    assert len(answer.json["searches"]) == 2
    assert answer.json["error"]["reason"] == "spent"
    with house.open() as product:
        again = grant(product, "album", searches=1, holder=system_actor("command").user).id
    plain = run("search", crowd, "--authority", again, "--face", "each")
    assert plain.code == 4
    assert plain.out.count("Receipt: entry") == 1
    assert "every search of this authority has been used" in plain.err


def test_an_interrupt_loses_nothing_of_what_was_found_and_is_one_object(
    run: Run, house: Place, me: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from countenance.app import Countenance

    crowd = house.put("crowd-asked.png", pretend.photograph("ada", "bob", "cyd", note="asked"))
    search, seen = Countenance.search, []

    def interrupted(self: Countenance, *given: Any) -> Any:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(search(self, *given))
        return seen[-1]

    monkeypatch.setattr(Countenance, "search", interrupted)
    answer = run("search", crowd, "--authority", me, "--face", "each", "--json")
    assert answer.code == 130
    assert [one["search"] for one in answer.json["searches"]] == [one.search for one in seen]
    assert answer.json["error"]["code"] == "interrupted"


def test_an_address_stands_whole_on_its_line_however_narrow_the_terminal(
    run: Run, me: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = run("search", photo, "--authority", me, "--json").json
    lines = [line.strip() for line in run("search", photo, "--authority", me).out.splitlines()]
    sightings = [one for group in shown["groups"] for one in group["sightings"]]
    assert sightings
    for one in sightings:
        assert one["image"] in lines
        assert any(line.endswith(one["page"]) for line in lines)


def _used(house: Place, id: str) -> int:
    with house.open() as product:
        return product.authority(id).used


def test_several_photographs_of_one_person_are_one_search(run: Run, me: str, house: Place, photo: Path) -> None:
    other = house.put("second.png", pretend.photograph("ada", note="asked again"))
    body = run("search", photo, other, "--authority", me, "--json").json
    assert body["probe"]["photographs"] == 2
    assert body["probe"]["faces"] == 2
    assert _used(house, me) == 1


UNUSABLE = {
    "nobody": (pretend.photograph(note="nobody"), "no-face"),
    "far away": (pretend.photograph("~eve"), "no-face"),
    "not a picture": (b"text", "unreadable-image"),
    "empty": (b"", "unreadable-image"),
    "half": (pretend.photograph("ada", broken="truncated"), "unreadable-image"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_photograph_that_cannot_be_used_costs_no_use_and_is_not_named(
    run: Run, me: str, house: Place, what: str
) -> None:
    data, code = UNUSABLE[what]
    answer = run("search", house.put("some-body.png", data), "--authority", me, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, code)
    assert "some-body" not in answer.out + answer.err
    assert _used(house, me) == 0


@pytest.mark.parametrize("what", ["missing.png", ".", "pipe"])
def test_what_is_no_file_is_no_photograph(run: Run, me: str, house: Place, what: str) -> None:
    import os

    os.mkfifo(house.photos / "pipe")
    answer = run("search", house.photos / what, "--authority", me, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "bad-input")
    assert what not in answer.json["error"]["message"] or what == "."


def test_without_an_authority_no_photograph_is_even_read(
    run: Run, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from countenance.cli import search

    monkeypatch.setattr(search, "read_photograph", _never)
    answer = run("search", "whatever.png", "--authority", "A-000000000000", "--json")
    assert answer.code == 4
    assert answer.json["error"]["code"] == "no-authority"
    assert answer.json["error"]["reason"] == "unknown"


def _never(*_: Any) -> None:
    raise AssertionError("read")


@pytest.mark.parametrize("state", ["expired", "revoked", "spent", "not-covered"])
def test_a_dead_authority_is_exit_4_with_its_reason(
    run: Run, house: Place, photo: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = system_actor("command").user
    with house.open() as product:
        authority = grant(product, "album", holder=user, searches=1)
    words = ["search", photo, "--authority", authority.id, "--json"]
    if state == "spent":
        assert run(*words).code == 0
    if state == "revoked":
        assert run("authority", "revoke", authority.id, "--json").json["state"] == "revoked"
    if state == "expired":
        monkeypatch.setattr(moments, "now", lambda: authority.expires_at)
    if state == "not-covered":
        words += ["--collection", "wall"]
    answer = run(*words)
    assert answer.code == 4
    assert answer.json["error"]["reason"] == state
    assert answer.json.keys() == {"error"}


def test_erasing_asks_first_and_with_json_wants_a_yes(run: Run, house: Place) -> None:
    image = (house.photos / "album" / "bob.png").as_uri()
    answer = run("erase", "--image", image, "--json")
    assert answer.code == 2
    assert answer.json["error"]["would_erase"]["images"] == 1
    with house.open() as product:
        assert "erasure" not in [e["type"] for e in product.ledger_entries(0, product.ledger_size)]
    answer = run("erase", "--image", image, "--yes", "--json")
    assert (answer.code, answer.json["images"], answer.json["pending"]) == (0, 1, [])
    assert run("erase", "--image", image, "--yes", "--json").json["error"]["code"] == "unknown"
    for words in ((), ("--image", image, "--source", "album"), ("--sighting", "nonsense"), ("--face", "x.png")):
        assert run("erase", *words, "--yes", "--json").code == 2


def test_erasing_sightings_and_faces(run: Run, house: Place, me: str, photo: Path) -> None:
    shown = run("search", photo, "--authority", me, "--json").json["groups"]
    id = shown[0]["sightings"][0]["id"]
    assert run("erase", "--sighting", id, "--yes", "--json").json["sightings"] == 1
    left = run("search", photo, "--authority", me, "--json").json["groups"]
    assert id not in json.dumps(left)
    words = ("erase", "--face", photo, "--authority", me, "--yes", "--json")
    assert run(*words).json["error"]["code"] == "bad-input", "how alike has to be said"
    answer = run(*words, "--min-likeness", "0.5")
    still = {s["id"] for g in left for s in g["sightings"] if s["likeness"] > 0.5}
    assert answer.json["sightings"] == len(still) == 3
    assert run("search", photo, "--authority", me, "--min-likeness", "0.5", "--json").json["groups"] == []
    assert run("erase", "--face", photo, "--authority", "A-0", "--min-likeness", "0.5", "--yes", "--json").code == 4


def test_sources_are_registered_listed_shown_and_removed(run: Run, house: Place) -> None:
    (house.photos / "third").mkdir()
    common = ("--kind", "folder", "--at", house.photos / "third", "--owner", "Me")
    added = run("source", "add", "third", *common, "--basis", "own", "--retain", "30d", "--note", "a note", "--json")
    assert (added.json["name"], added.json["retain_days"], added.json["collection"]) == ("third", 30, "third")
    assert {s["name"] for s in run("source", "list", "--json").json["sources"]} == {"album", "wall", "third"}
    shown = run("source", "show", "third", "--json").json
    assert (shown["note"], shown["counts"]["images"], shown["counts"]["last_run"]) == ("a note", 0, None)
    default = run("source", "add", "fourth", *common, "--basis", "own", "--json").json
    assert default["retain_days"] == 90
    for words, code in (
        (("third", *common, "--basis", "own"), "already-there"),
        (("fifth", *common, "--basis", "law-enforcement"), "bad-input"),
        (("fifth", *common, "--basis", "none"), "bad-input"),
        (("../fifth", *common, "--basis", "own"), "bad-input"),
        (("fifth", *common, "--basis", "own", "--retain", "1h"), "bad-input"),
        (("fifth", "--kind", "ftp", "--at", "x", "--owner", "Me", "--basis", "own"), "bad-input"),
    ):
        answer = run("source", "add", *words, "--json")
        assert (answer.code, answer.json["error"]["code"]) == (2, code)
    assert run("ingest", "nowhere", "--json").json["error"]["code"] == "unknown"
    assert run("source", "remove", "third", "--yes", "--json").json["sources"] == 1
    assert run("source", "show", "third", "--json").code == 2


def test_authorities_are_granted_listed_and_shown(run: Run) -> None:
    words = ("authority", "grant", "--purpose", "p", "--case", "c", "--by", "B", "--collection", "album")
    granted = run(*words, "--basis", "own", "--expires", "2d", "--searches", "3", "--json").json
    assert (granted["searches"], granted["left"], granted["state"]) == (3, 3, "live")
    assert granted["self_approved"] is True
    assert granted["stated_by"] == "B"
    assert granted["granted_by"] == system_actor("command").user
    assert run("authority", "show", granted["id"], "--json").json["id"] == granted["id"]
    assert [a["id"] for a in run("authority", "list", "--json").json["authorities"]] == [granted["id"]]
    plain = run(*words, "--basis", "own", "--expires", "2d", "--searches", "3")
    assert "granted it to yourself" in plain.out
    for more in (
        ("--basis", "own", "--expires", "yesterday", "--searches", "3"),
        ("--basis", "own", "--expires", "2001-01-01", "--searches", "3"),
        ("--basis", "own", "--expires", "1d", "--searches", "0"),
    ):
        assert run(*words, *more, "--json").code == 2


def test_the_ledger_is_exported_once_and_verified(run: Run, house: Place, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    assert run("ledger", "export", bundle, "--json").json["entries"] > 0
    assert run("ledger", "export", bundle, "--json").code == 2
    assert run("ledger", "export", bundle, "--force", "--json").code == 0
    part = run("ledger", "export", tmp_path / "part.zip", "--user", "nobody", "--from", "2026-01-01", "--json").json
    assert set(part["asked"]) == {"from", "user"}
    with (tmp_path / "part.zip").open("rb") as file:
        assert verify_bundle(file, VerifierKey.parse(part["key"])).given == 0
    for wrong in (("--from", "soon"), ("--from", "2026-02-01", "--to", "2026-01-01")):
        assert run("ledger", "export", tmp_path / "wrong.zip", *wrong, "--json").code == 2
    assert not (tmp_path / "wrong.zip").exists()
    told = run("ledger", "show", "--last", "1", "--json").json["entries"][0]
    assert (told["type"], told["body"]["asked"]) == ("ledger.exported", part["asked"])
    entries = house.home / "ledger" / "entries.jsonl"
    content = entries.read_bytes()
    entries.write_bytes(content.replace(b'"source.registered"', b'"source.registereD"', 1))
    answer = run("ledger", "verify", "--json")
    assert answer.code == 6
    assert answer.json["error"]["code"] == "ledger-broken"


def test_doctor_finds_what_is_wrong_and_exits_1(run: Run, house: Place) -> None:
    assert run("doctor", "--json").code == 0
    key = next(house.keys.rglob("ledger.key"))
    key.chmod(0o644)
    answer = run("doctor", "--json")
    assert answer.code == 1
    assert any(finding["severity"] == "fault" for finding in answer.json["findings"])


def test_strangers_words_reach_no_terminal_raw(run: Run) -> None:
    words = ("authority", "grant", "--case", "c", "--by", "B", "--collection", "album", "--basis", "own")
    run(*words, "--purpose", "\x1b[31mred\x07 [bold]b[/bold]", "--expires", "1d", "--searches", "1")
    plain = run("authority", "list")
    assert "\x1b" not in plain.out
    assert "\x07" not in plain.out
    assert "[bold]" in plain.out


def test_an_error_of_ours_is_one_object_without_what_it_was_about(
    run: Run, me: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from countenance.services import search

    monkeypatch.setattr(search, "groups_of", _breaks)
    answer = run("search", photo, "--authority", me, "--json")
    assert answer.code == 1
    assert answer.json["error"]["code"] == "internal"
    assert "probe.png" not in answer.out + answer.err
    assert "somebody's face" not in answer.out + answer.err
    assert "_breaks" in answer.err


def _breaks(*_: Any, **__: Any) -> None:
    raise RuntimeError("somebody's face")


def test_interrupted_is_130(run: Run, house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("album/late.png", pretend.photograph("zoe"))
    monkeypatch.setattr(pretend.Workers, "submit", _interrupted)
    answer = run("ingest", "album", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (130, "interrupted")
    assert run("source", "show", "album", "--json").json["counts"]["last_run"]["state"] == "interrupted"


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_retention_run_erases_what_is_over_its_time(run: Run, house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    now = moments.now() + timedelta(days=91)
    monkeypatch.setattr(moments, "now", lambda: now)
    assert run("status", "--json").json["expired_sources"] == 2
    body = run("retention", "run", "--json").json
    assert sorted(body["sources"]) == ["album", "wall"]
    status = run("status", "--json").json
    assert (status["sources"], status["images"], status["faces"]) == (0, 0, 0)
