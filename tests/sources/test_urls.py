"""Lists of addresses: every row is read or reported, and only the hosts that the list names are visited."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import BadInput
from countenance.domain.sources import Skipped
from countenance.sources.lists import Row, read_list
from countenance.sources.opening import open_reader, validate_location

Crawling = Callable[..., Any]


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_text_lists(listed: Any) -> None:
    path = listed(
        "list.txt",
        b"\xef\xbb\xbf# a comment\r\n\r\nhttp://a.example/1.jpg\r\n  https://A.example:443/2.jpg#x  \nnonsense\n"
        b"file:///etc/passwd\n"
        + b"http://a.example/"
        + b"x" * 200_000
        + b"\nhttp://a.example/\xff.jpg\nhttp://a.example/3",
    )
    assert list(read_list(path)) == [
        Row("http://a.example/1.jpg"),
        Row("https://a.example/2.jpg"),
        Skipped("list.txt, row 5", "bad-address", "neither http nor https"),
        Skipped("list.txt, row 6", "bad-address", "neither http nor https"),
        Skipped("list.txt, row 7", "bad-address", "longer than any real address"),
        Row("http://a.example/%EF%BF%BD.jpg"),
        Row("http://a.example/3"),
    ]


@pytest.mark.parametrize("header", ["url,page,caption", "Image-URL;Page URL;Caption", "IMAGE\tsource\tdescription"])
def test_csv_lists_by_the_names_of_their_columns(listed: Any, header: str) -> None:
    mark = next(each for each in ",;\t" if each in header)
    row = mark.join(["http://a.example/1.jpg", "http://a.example/page", f'"A team{mark} 2""4"'])
    first, second = read_list(listed("list.csv", f"{header}\n{row}\n\nhttp://a.example/2.jpg\n"))
    assert first == Row("http://a.example/1.jpg", "http://a.example/page", f'A team{mark} 2"4')
    assert second == Row("http://a.example/2.jpg")
    # The order of the columns does not matter, nor do columns of other names.
    path = listed("other.csv", "n,alt,url\n1,Alt,http://a.example/3.jpg\n")
    assert list(read_list(path)) == [Row("http://a.example/3.jpg", alt="Alt")]


def test_a_csv_without_addresses_or_with_broken_quotes(listed: Any) -> None:
    with pytest.raises(BadInput, match="no column"):
        list(read_list(listed("a.csv", "name,age\nx,1\n")))
    with pytest.raises(BadInput, match="no column"):
        list(read_list(listed("empty.csv", "")))
    with pytest.raises(BadInput):
        list(read_list(listed("b.csv", 'url\n"' + "x\n" * 100_000)))
    with pytest.raises(BadInput, match="cannot be read"):
        list(read_list("/nowhere/list.csv"))


def test_parquet_lists(tmp_path: Path, listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "list.parquet"
    table = {
        "URL": ["http://a.example/1.jpg", None, "http://a.example/2.jpg"],
        "alt": ["One", "x", None],
        "n": [1, 2, 3],
    }
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    rows = list(read_list(str(path)))
    assert rows[0] == Row("http://a.example/1.jpg", alt="One")
    assert isinstance(rows[1], Skipped)
    assert rows[1].address == "list.parquet, row 2"
    assert rows[2] == Row("http://a.example/2.jpg")
    with pytest.raises(BadInput, match="cannot be read"):
        list(read_list(listed("broken.parquet", b"PAR1 not really PAR1")))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match="optional part") as error:
        validate_location("urls", str(path))
    assert "countenance[parquet]" in error.value.advice


def test_what_a_list_names_is_fetched_under_the_same_rules(
    new_site: Callable[[], Any], crawl: Crawling, listed: Any
) -> None:
    site, other, elsewhere = new_site(), new_site(), new_site()
    site.picture("/a.jpg", "/b.jpg", "/closed.jpg", "/shy.jpg", X_Robots_Tag="otherbot: noindex")
    site.picture("/shy.jpg", X_Robots_Tag="noindex")
    site.redirect("/moved.jpg", f"{other.url}/c.jpg")
    site.redirect("/away.jpg", f"{elsewhere.url}/d.jpg")
    site.redirect("/inside.jpg", "http://127.1:1/")
    site.html("/robots.txt", "")
    site.pages["/robots.txt"].body = b"User-agent: *\nDisallow: /closed"
    other.picture("/c.jpg")
    elsewhere.picture("/d.jpg")
    path = listed(
        "list.csv",
        "url,page,title,alt,caption\n"
        f"{site.url}/a.jpg,http://somewhere.example/page,Title,Alt,Caption\n"
        f"{site.url}/b.jpg\n"
        "bad\n"
        + "".join(f"{site.url}/{name}.jpg\n" for name in ("moved", "away", "inside", "closed", "shy", "absent"))
        + f"{site.url}/a.jpg\n{other.url}/c.jpg\nhttp://127.0.0.1:9/private.jpg\n",
    )
    result = crawl(path, kind="urls", allow=(site.netloc, other.netloc, elsewhere.netloc))
    assert elsewhere.asked == []
    assert result.sightings == sorted(
        [
            ("http://somewhere.example/page", f"{site.url}/a.jpg"),
            (f"{site.url}/a.jpg", f"{site.url}/a.jpg"),
            (f"{site.url}/b.jpg", f"{site.url}/b.jpg"),
            (f"{site.url}/moved.jpg", f"{site.url}/moved.jpg"),
            (f"{other.url}/c.jpg", f"{other.url}/c.jpg"),
        ]
    )
    first = next(f for f in result.found if f.page == "http://somewhere.example/page")
    assert (first.title, first.alt, first.caption) == ("Title", "Alt", "Caption")
    assert result.skipped == {
        "list.csv, row 4": "bad-address",
        f"{site.url}/away.jpg": "outside-hosts",
        f"{site.url}/inside.jpg": "private-address",
        f"{site.url}/closed.jpg": "robots",
        f"{site.url}/shy.jpg": "noindex",
        f"{site.url}/absent.jpg": "http-404",
        "http://127.0.0.1:9/private.jpg": "private-address",
    }
    assert site.asked.count("/a.jpg") == 1


def test_a_long_list_arrives_whole(site: Any, crawl: Crawling, listed: Any) -> None:
    names = [f"/{at}.jpg" for at in range(300)]
    site.picture(*names)
    path = listed("list.txt", "".join(f"{site.url}{name}\n" for name in names))
    result = crawl(path, kind="urls", allow=(site.netloc,))
    assert [f.address for f in result.found] == [site.url + name for name in names]


def test_a_list_that_vanished(source: Any, tmp_path: Path) -> None:
    reader = open_reader(source("urls", tmp_path / "absent.txt"), spool=tmp_path)
    with pytest.raises(BadInput):
        list(reader.read())
