"""Sitemaps (sitemaps.org): an index of others, a list of pages, or lines of text; plain or gzip."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

MAX_LOCATIONS = 50_000


@dataclass(frozen=True, slots=True)
class Sitemap:
    """`locations` are sitemaps when `is_index`, else pages; not yet checked, at most 50,000."""

    is_index: bool
    locations: tuple[str, ...]


class SitemapUnusable(ValueError):
    """Larger than the limit once unpacked, or no sitemap. The message is the reason code."""


def read_sitemap(body: bytes, limit: int) -> Sitemap:
    """Raises SitemapUnusable ("too-many-bytes", "not-a-sitemap"). Neither entities nor DTDs are resolved."""
    from lxml import etree

    body = _unpack(body, limit).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body.startswith(b"<"):
        lines = (line.strip() for line in body.decode("utf-8", "replace").splitlines())
        addresses = [line for line in lines if line.lower().startswith(("http://", "https://"))]
        return Sitemap(False, tuple(addresses[:MAX_LOCATIONS]))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        root = None
    kind = "" if root is None else etree.QName(root).localname
    if root is None or kind not in {"urlset", "sitemapindex"}:
        raise SitemapUnusable("not-a-sitemap")
    found: list[str] = []
    for entry in root.iterchildren(tag=etree.Element):
        for child in entry.iterchildren(tag=etree.Element):
            if etree.QName(child).localname == "loc" and child.text and len(found) < MAX_LOCATIONS:
                found.append(child.text.strip())
    return Sitemap(kind == "sitemapindex", tuple(found))


def _unpack(body: bytes, limit: int) -> bytes:
    if body.startswith(b"\x1f\x8b"):
        unpacking = zlib.decompressobj(wbits=31)
        try:
            body = unpacking.decompress(body, limit + 1)
        except zlib.error:
            raise SitemapUnusable("not-a-sitemap") from None
    if len(body) > limit:
        raise SitemapUnusable("too-many-bytes")
    return body
