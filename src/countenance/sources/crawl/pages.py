"""A page's pictures, links and wishes, read from its HTML without running any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from countenance.sources.addresses import BadAddress, Place, place

MAX_TEXT = 500
MAX_IMAGES = 2_000
MAX_LINKS = 10_000
IMAGE_NAME = re.compile(r"\.(jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf])\Z", re.IGNORECASE)
_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*)")
_LAZY = ("data-src", "data-original", "data-lazy-src", "data-lazy")
_SRCSETS = ("srcset", "data-srcset", "data-lazy-srcset")
_META_IMAGES = {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"}
_NOT_FETCHED = ("data:", "blob:", "javascript:", "mailto:", "tel:", "about:", "#")


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One picture as a page shows it."""

    place: Place
    alt: str | None = None
    caption: str | None = None


@dataclass(slots=True)
class Page:
    """What was read. `unusable` are addresses of pictures that are no web addresses."""

    title: str | None = None
    images: dict[str, ImageRef] = field(default_factory=dict)
    links: dict[str, Place] = field(default_factory=dict)
    meta: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)


def read_page(text: str, url: str) -> Page:
    """Read HTML of any quality. Bounded: at most `MAX_IMAGES` pictures and `MAX_LINKS` links, each once."""
    return _Reading(url).read(text)


def largest(srcsets: list[str]) -> tuple[str, float] | None:
    """The address with the largest width (or else density) of all candidates, and that number; None without any.

    Parsed as the HTML standard says, so that commas inside an address do no harm.
    """
    best: tuple[int, float, str] | None = None
    for text in srcsets:
        for address, descriptor in _candidates(text[:50_000]):
            number = re.fullmatch(r"([0-9]*\.?[0-9]+)([wx])", descriptor)
            kind, size = (int(number[2] == "w"), float(number[1])) if number else (0, 1.0)
            if best is None or (kind, size) > best[:2]:
                best = (kind, size, address)
    return None if best is None else (best[2], best[1])


def _candidates(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while match := _CANDIDATE.match(text, at):
        address, at = match[1], match.end()
        if address.endswith(","):
            yield address.rstrip(","), ""
            continue
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        yield address, text[at:end].strip().lower()
        at = end


class _Reading:
    def __init__(self, url: str) -> None:
        self._url = url
        self._base: str | None = None
        self._page = Page()
        self._captions: dict[Any, str | None] = {}

    def read(self, text: str) -> Page:
        from lxml import etree

        # Without huge_tree, libxml2 itself bounds depth and the length of a text.
        parser = etree.HTMLParser(
            encoding="utf-8", recover=True, no_network=True, remove_comments=True, remove_pis=True
        )
        raw = text.replace("\0", "").encode("utf-8", "replace")
        try:
            root = etree.fromstring(raw, parser) if raw.strip() else None
        except etree.XMLSyntaxError:
            root = None
        if root is None:
            return self._page
        base = root.find(".//base[@href]")
        if base is not None:
            self._base = self._resolve(base.get("href"))
        for element in root.iter():
            if isinstance(element.tag, str):
                self._element(element)
        return self._page

    def _element(self, element: Any) -> None:
        tag = element.tag
        if tag in {"img", "amp-img"}:
            self._image(self._best(element), element, element.get("alt") or element.get("title"))
        elif tag in {"a", "area"}:
            self._anchor(element)
        elif tag == "meta":
            self._meta(element)
        elif tag == "title" and self._page.title is None and element.getparent() is not None:
            if element.getparent().tag != "svg":
                self._page.title = _text(element)
        elif tag in {"iframe", "frame"}:
            self._link(element.get("src"))
        elif tag == "link" and "image_src" in (element.get("rel") or "").lower().split():
            self._image(element.get("href"), element, None)
        elif tag == "video":
            self._image(element.get("poster"), element, None)

    def _best(self, image: Any) -> str | None:
        holders = [image]
        # The parser does not know `source` as an empty element, so an image may stand inside one or several.
        for ancestor, _ in zip(image.iterancestors("source", "picture"), range(20), strict=False):
            if ancestor.tag == "picture":
                holders += ancestor.findall(".//source")
        best = largest([holder.get(name) for holder in holders for name in _SRCSETS if holder.get(name)])
        lazy = next((value for name in _LAZY if _fetched(value := image.get(name))), None)
        if best is not None and _fetched(best[0]) and (best[1] > 1 or lazy is None):
            return best[0]
        source: str | None = lazy or image.get("src")
        return source

    def _anchor(self, anchor: Any) -> None:
        href = anchor.get("href")
        resolved = self._resolve(href)
        if resolved is not None and IMAGE_NAME.search(resolved.partition("?")[0]):
            inner = anchor.find(".//img")
            alt = None if inner is None else inner.get("alt")
            self._image(href, anchor, alt or anchor.get("title") or _text(anchor))
        elif "nofollow" not in (anchor.get("rel") or "").lower().split():
            self._link(href)

    def _meta(self, meta: Any) -> None:
        name = (meta.get("property") or meta.get("name") or "").strip().lower()
        content = meta.get("content") or ""
        if name in _META_IMAGES:
            self._image(content, meta, None)
        elif name:
            self._page.meta.append((name, content))
        elif (meta.get("http-equiv") or "").lower() == "refresh":
            target = re.search(r"url\s*=\s*['\"]?([^'\"]+)", content, re.IGNORECASE)
            self._link(target[1] if target else None)

    def _image(self, address: str | None, element: Any, alt: str | None) -> None:
        if not _fetched(address) or len(self._page.images) >= MAX_IMAGES:
            return
        try:
            found = place(str(address), self._base or self._url)
        except BadAddress:
            self._page.unusable.append(str(address)[:MAX_TEXT])
            return
        ref = ImageRef(found, _clean(alt), self._caption(element))
        known = self._page.images.get(found.url)
        if known is None or ((ref.alt or ref.caption) and not (known.alt or known.caption)):
            self._page.images[found.url] = ref

    def _link(self, href: str | None) -> None:
        if not _fetched(href) or len(self._page.links) >= MAX_LINKS:
            return
        try:
            found = place(str(href), self._base or self._url)
        except BadAddress:
            return
        self._page.links.setdefault(found.url, found)

    def _resolve(self, href: str | None) -> str | None:
        if not _fetched(href):
            return None
        try:
            return place(str(href), self._base or self._url).url
        except BadAddress:
            return None

    def _caption(self, element: Any) -> str | None:
        for ancestor, _ in zip(element.iterancestors(), range(8), strict=False):
            if ancestor.tag == "figure":
                if ancestor not in self._captions:
                    caption = ancestor.find(".//figcaption")
                    self._captions[ancestor] = None if caption is None else _text(caption)
                return self._captions[ancestor]
        return None


def _fetched(address: str | None) -> bool:
    return bool(address and address.strip()) and not str(address).strip().lower().startswith(_NOT_FETCHED)


def _text(element: Any) -> str | None:
    pieces: list[str] = []
    length = 0
    for piece in element.itertext():
        pieces.append(piece)
        length += len(piece)
        if length > 4 * MAX_TEXT:
            break
    return _clean("".join(pieces))


def _clean(text: str | None) -> str | None:
    return " ".join((text or "").split())[:MAX_TEXT] or None
