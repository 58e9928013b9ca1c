"""What can be registered, and which reader it gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import BadInput
from countenance.sources.opening import open_reader, validate_location


def test_a_folder_is_registered_by_its_real_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "file.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    assert validate_location("folder", "link/../link/") == str(real)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert validate_location("folder", "~/real") == str(real)
    assert validate_location("urls", "file.txt") == str(tmp_path / "file.txt")
    for kind, location in [
        ("folder", "file.txt"),
        ("folder", "absent"),
        ("folder", ""),
        ("folder", "a\0b"),
        ("urls", "real"),
        ("urls", "absent.txt"),
        ("camera", "real"),
    ]:
        with pytest.raises(BadInput):
            validate_location(kind, location)


def test_a_website_is_registered_by_addresses_in_one_spelling() -> None:
    assert validate_location("website", "HTTPS://Example.org, http://b.example:8080/x#y") == (
        "https://example.org/ http://b.example:8080/x"
    )
    for location in ("", " , ", "example.org", "ftp://example.org/", "file:///etc", "http://", "https://a.example /x"):
        with pytest.raises(BadInput):
            validate_location("website", location)


def test_a_private_address_has_to_be_named() -> None:
    with pytest.raises(BadInput) as error:
        validate_location("website", "http://127.1:8080/")
    assert "--allow-private 127.0.0.1:8080" in error.value.advice
    with pytest.raises(BadInput):
        validate_location("website", "http://127.0.0.1:8080/", ["127.0.0.1:8081"])
    assert validate_location("website", "http://127.0.0.1:8080/", ["127.0.0.1:8080"]) == "http://127.0.0.1:8080/"
    for allow in ("127.0.0.1", "*:80", "10.0.0.0/8", "host:port"):
        with pytest.raises(BadInput):
            validate_location("website", "http://example.org/", [allow])


def test_an_unknown_kind(source: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        open_reader(source("camera", "x"), spool=tmp_path)


def test_nothing_heavy_is_imported_before_a_crawl() -> None:
    script = """
import sys
import countenance.sources.opening, countenance.sources.folder, countenance.sources.website, countenance.sources.urls
heavy = {"scrapy", "twisted", "lxml", "pyarrow", "protego"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
