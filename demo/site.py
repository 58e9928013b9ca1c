"""The words of the demo web: a site has pages and pictures, and a page knows who can be seen on it.

A `Page` is written piece by piece; each piece that shows a picture also notes what a crawler must find there, so the
expectations are never written twice. Addresses are paths until the site has a port.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from demo.pictures import Picture, Shot

BLANK = "/blank.gif"
"""The one pixel that lazy-loading pages show until the picture is needed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture on one page. Any of the `paths` will do where the page offers several sizes or formats of it."""

    page: str
    paths: tuple[str, ...]
    people: frozenset[str]


@dataclass(slots=True)
class Reply:
    """What a server answers. `body` is bytes, or a stream of them that may never end."""

    body: bytes | Iterator[bytes]
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Trap = Callable[[str, "Site"], Reply]
"""Answers one path (or everything under it) with malice. Gets the path asked for and the site."""


class Page:
    """One page, written piece by piece.

    `forbidden` names the wish that keeps robots from indexing it (robots, noindex, noai, tdm), None where they may.
    """

    def __init__(
        self,
        site: Site,
        path: str,
        title: str,
        *,
        forbidden: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.site = site
        self.path = path
        self.title = title
        self.forbidden = forbidden
        self.headers = dict(headers or {})
        self.shown: list[Shown] = []
        self._head: list[str] = []
        self._body: list[str] = []

    def _note(self, *pictures: tuple[str, Picture]) -> None:
        for path, picture in pictures:
            self.site.pictures[path] = picture
        people = frozenset[str]().union(*(picture.people for _, picture in pictures))
        self.shown.append(Shown(self.path, tuple(path for path, _ in pictures), people))

    def meta(self, name: str, content: str) -> Page:
        """A `<meta>` in the head."""
        self._head.append(f'<meta name="{name}" content="{content}">')
        return self

    def text(self, *paragraphs: str) -> Page:
        """Plain paragraphs."""
        self._body += [f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs]
        return self

    def heading(self, text: str) -> Page:
        """A second-level heading."""
        self._body.append(f"<h2>{html.escape(text)}</h2>")
        return self

    def raw(self, markup: str) -> Page:
        """Markup as it is."""
        self._body.append(markup)
        return self

    def links(self, *targets: tuple[str, str]) -> Page:
        """A list of (path, words)."""
        items = "".join(f'<li><a href="{path}">{html.escape(words)}</a></li>' for path, words in targets)
        return self.raw(f'<ul class="links">{items}</ul>')

    def image(self, path: str, picture: Picture, alt: str, *, caption: str = "", href: str = "", css: str = "") -> Page:
        """A plain `<img>`, in a figure when it has a caption."""
        self._note((path, picture))
        tag = f'<img src="{path}" alt="{html.escape(alt)}"{f" class={css!r}" if css else ""}>'
        return self._framed(tag, caption, href)

    def lazy(self, path: str, picture: Picture, alt: str, *, caption: str = "", css: str = "lazy") -> Page:
        """An image whose address is in `data-src`, as lazy-loading scripts want it."""
        self._note((path, picture))
        return self._framed(
            f'<img class="{css}" src="{BLANK}" data-src="{path}" alt="{html.escape(alt)}">', caption, ""
        )

    def sizes(
        self, stem: str, shot: Shot, alt: str, *, widths: tuple[int, ...] = (480, 960), caption: str = ""
    ) -> Page:
        """One photograph in several sizes, in `srcset`."""
        offers = [(f"{stem}-{width}.{shot.format}", shot.but(longest=width)) for width in widths]
        self._note(*offers)
        srcset = ", ".join(f"{path} {width}w" for (path, _), width in zip(offers, widths, strict=True))
        chosen = f'srcset="{srcset}" sizes="(min-width: 50em) 40em, 90vw"'
        tag = f'<img src="{offers[0][0]}" {chosen} alt="{html.escape(alt)}">'
        return self._framed(tag, caption, "")

    def formats(self, stem: str, shot: Shot, alt: str, *, caption: str = "") -> Page:
        """One photograph in several formats, in `<picture>`."""
        offers = [(f"{stem}.{kind}", shot.but(format=kind)) for kind in ("avif", "webp", "jpg")]
        self._note(*offers)
        sources = "".join(f'<source srcset="{path}" type="image/{path.rsplit(".")[-1]}">' for path, _ in offers[:2])
        tag = f'<picture>{sources}<img src="{offers[2][0]}" alt="{html.escape(alt)}"></picture>'
        return self._framed(tag, caption, "")

    def social(self, path: str, picture: Picture) -> Page:
        """The picture that a page offers to whoever links to it (`og:image`, absolute)."""
        self._note((path, picture))
        self._head.append(f'<meta property="og:image" content="{{base}}{path}">')
        return self

    def _framed(self, tag: str, caption: str, href: str) -> Page:
        if href:
            tag = f'<a href="{href}">{tag}</a>'
        note = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
        return self.raw(f"<figure>{tag}{note}</figure>")

    def render(self, base: str) -> str:
        """The whole page. `base` is the site's address, without a slash at the end."""
        title = html.escape(self.title)
        menu = "".join(f'<a href="{path}">{html.escape(words)}</a>' for path, words in self.site.menu)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{title} · {html.escape(self.site.title)}</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta property="og:title" content="{title}">{"".join(self._head).replace("{base}", base)}'
            '<link rel="stylesheet" href="/style.css"></head><body>'
            f'<header><a class="brand" href="/">{html.escape(self.site.title)}</a><nav>{menu}</nav></header>'
            f"<main><h1>{title}</h1>{''.join(self._body).replace('{base}', base)}</main>"
            f"<footer>{html.escape(self.site.about)} An invented place: nobody in these pictures exists.</footer>"
            "</body></html>"
        )


class Site:
    """One site: what it is called, who answers for it, its pages, pictures, rules for robots, and traps."""

    def __init__(self, key: str, title: str, about: str, *, hue: int, menu: tuple[tuple[str, str], ...] = ()) -> None:
        self.key = key
        self.title = title
        self.about = about
        self.hue = hue
        self.menu = menu
        self.pages: dict[str, Page] = {}
        self.pictures: dict[str, Picture] = {}
        self.files: dict[str, Reply] = {}
        self.traps: dict[str, Trap] = {}
        self.reserved: dict[str, str] = {}
        """Pictures that ask by themselves not to be indexed, whatever page they are on: path → the wish."""
        self.picture_headers: dict[str, dict[str, str]] = {}
        self.disallowed: tuple[str, ...] = ()
        self.in_sitemap: list[str] = []
        self.vanishing: str | None = None
        """The page that goes when the web is told so, with its pictures."""

    def page(
        self, path: str, title: str, *, forbidden: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Page:
        """A new page of this site."""
        self.pages[path] = page = Page(self, path, title, forbidden=forbidden, headers=headers)
        return page

    def reserve(self, path: str, picture: Picture, wish: str, headers: Mapping[str, str]) -> None:
        """A picture that is served with a wish of its own (`X-Robots-Tag`, `tdm-reservation`)."""
        self.pictures[path] = picture
        self.reserved[path] = wish
        self.picture_headers[path] = dict(headers)

    def robots(self, base: str) -> str:
        """robots.txt."""
        rules = "".join(f"Disallow: {folder}\n" for folder in self.disallowed) or "Disallow:\n"
        return f"User-agent: *\n{rules}" + (f"\nSitemap: {base}/sitemap.xml\n" if self.in_sitemap else "")

    def sitemap(self, base: str) -> str:
        """sitemap.xml."""
        places = "".join(f"<url><loc>{base}{path}</loc></url>" for path in self.in_sitemap)
        opening = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        return f'<?xml version="1.0" encoding="UTF-8"?>{opening}{places}</urlset>'

    def style(self) -> str:
        """One small stylesheet in the site's colour."""
        return STYLE.replace("HUE", str(self.hue))

    def gone_with_the_page(self) -> frozenset[str]:
        """The vanishing page, and the pictures that are on no other page."""
        if self.vanishing is None:
            return frozenset()
        own = {path for shown in self.pages[self.vanishing].shown for path in shown.paths}
        elsewhere = {
            path
            for page in self.pages.values()
            if page.path != self.vanishing
            for shown in page.shown
            for path in shown.paths
        }
        return frozenset({self.vanishing, *(own - elsewhere)})


STYLE = """
:root { color-scheme: light dark; --ink: hsl(HUE 30% 15%); --paper: hsl(HUE 35% 97%); --line: hsl(HUE 25% 82%);
  --accent: hsl(HUE 55% 34%); }
@media (prefers-color-scheme: dark) { :root { --ink: hsl(HUE 20% 90%); --paper: hsl(HUE 20% 11%);
  --line: hsl(HUE 15% 28%); --accent: hsl(HUE 60% 70%); } }
* { box-sizing: border-box }
body { margin: 0; font: 1.05rem/1.6 Georgia, "Times New Roman", serif; color: var(--ink); background: var(--paper) }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline; padding: 1.2rem 5vw;
  border-bottom: 3px solid var(--accent) }
.brand { font-size: 1.5rem; font-weight: bold; text-decoration: none; color: var(--accent) }
nav { display: flex; gap: 1.2rem } a { color: var(--accent) }
main { max-width: 62rem; margin: 0 auto; padding: 1rem 5vw 3rem } h1 { line-height: 1.15; font-size: 2.2rem }
figure { margin: 1.2rem 0 } img { max-width: 100%; height: auto; border-radius: 4px; display: block }
figcaption { font-size: .88rem; opacity: .8; padding-top: .3rem }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1.2rem }
.grid figure { margin: 0 } .post { display: grid; grid-template-columns: 8rem 1fr; gap: 1rem; padding: 1rem 0;
  border-top: 1px solid var(--line) } .post figure { margin: 0 }
.avatar { width: 7.5rem; border-radius: 50% }
footer { padding: 1.5rem 5vw; border-top: 1px solid var(--line); font-size: .85rem; opacity: .8 }
""".strip()
