"""How a page is walked: what axe-core finds wrong with it, and where the keyboard comes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Locator, Page, expect

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
GRAVE = ("serious", "critical")

FOCUSABLE = (
    "a[href], button:not([disabled]), input:not([disabled]):not([type=hidden]), select:not([disabled]), "
    "textarea:not([disabled]), summary, [tabindex]:not([tabindex='-1'])"
)

PARTS_OF_A_DATE = 8
"""A date's field has a stop for its day, month, year and calendar, and one with a time for the parts of that too,
before Tab leads on: fewer than so many."""

_REACHABLE = """([selector, within]) => {
  const radios = new Set();
  const shown = (one) => one.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
  return [...document.querySelector(within).querySelectorAll(selector)].filter((one) => {
    if (!shown(one) || one.closest("[inert]")) return false;
    // Of a group of choices only one is reached with Tab, the rest with the arrows.
    if (one.type === "radio") {
      const group = `${one.form?.id} ${one.name}`;
      if (radios.has(group)) return false;
      radios.add(group);
    }
    return true;
  }).map((one, n) => {
    one.dataset.walk = one.type === "radio" ? `radio ${one.name}` : String(n);
    return one.dataset.walk;
  });
}"""

_OPENERS = """() => {
  const kinds = new Map();
  for (const one of document.querySelectorAll("main button")) {
    const words = one.textContent.trim();
    const opens = one.dataset.open || words.endsWith("…");
    if (opens && !one.disabled && one.checkVisibility() && !kinds.has(words)) kinds.set(words, one);
  }
  return [...kinds.values()].map((one, n) => (one.dataset.opens = String(n)));
}"""

_HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  if (one.type === "radio" && !one.dataset.walk) one.dataset.walk = `radio ${one.name}`;
  const marked = (node) => {
    if (!node) return false;
    const style = getComputedStyle(node);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || style.boxShadow !== "none";
  };
  // What is drawn instead of the control itself: the label of a file's input, the card of a choice.
  const beside = [one.previousElementSibling, one.nextElementSibling];
  const instead = [one, ...beside, one.closest("label"), one.closest("article")];
  const box = one.getBoundingClientRect();
  return {
    name: one.dataset.walk || null,
    what: one.outerHTML.slice(0, 160),
    parts: ["date", "datetime-local"].includes(one.type),
    marked: instead.some(marked),
    in: box.bottom > 0 && box.top < innerHeight,
  };
}"""


@cache
def axe() -> str:
    """The script, from the package that carries it. It is given to the page by the browser's own protocol: no policy
    of the page is loosened for it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, *rules: str) -> list[str]:
    """What axe-core calls serious or critical, with where it is; of these rules alone when there are any."""
    if page.evaluate("typeof window.axe === 'undefined'"):
        page.evaluate(axe())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def tab_through(page: Page, within: str = "body") -> list[str]:
    """Go through a page with Tab alone, from its first control, or through a dialog from where it begins.

    Returns what is wrong: a control that is never reached, one that does not show where one is, a trap.
    """
    page.evaluate("for (const one of document.querySelectorAll('[data-walk]')) delete one.dataset.walk")
    wanted: list[str] = page.evaluate(_REACHABLE, [FOCUSABLE, within])
    if within == "body":
        page.evaluate("document.querySelector('.skip').focus()")
        # A focus that a script gave is drawn only where the keyboard is in use.
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
    reached: list[str] = []
    wrong: list[str] = []
    stops = 0
    dates = page.locator(f"{within} input:is([type=date], [type=datetime-local])").count()
    for _ in range(2 * len(wanted) + 6 + PARTS_OF_A_DATE * dates):
        here = page.evaluate(_HERE)
        if here is not None:
            if reached and here["name"] == reached[-1]:
                stops += 1
                if here["parts"] and stops < PARTS_OF_A_DATE:
                    page.keyboard.press("Tab")
                    continue
                wrong.append(f"Tab leads nowhere from {here['what']}")
                break
            if here["name"] in reached:
                break
            if here["name"] is not None:
                reached.append(here["name"])
                stops = 1
            if not here["marked"]:
                wrong.append(f"nothing shows that one is at {here['what']}")
            if not here["in"]:
                wrong.append(f"out of sight: {here['what']}")
        elif set(reached) >= set(wanted):
            break  # out of it all, to the browser's own controls
        page.keyboard.press("Tab")
    missed = [name for name in wanted if name not in reached]
    if missed:
        names = page.evaluate(
            "names => names.map((n) => document.querySelector(`[data-walk='${n}']`)?.outerHTML.slice(0, 160))", missed
        )
        wrong += [f"never reached: {one}" for one in names]
    order = [int(name) for name in reached if name.isdigit()]
    if within == "body" and order != sorted(order):
        wrong.append(f"not in the order of the page: {order}")
    return wrong


def skips(page: Page) -> None:
    """The first thing that Tab comes to, on a page just opened, leads past the menu."""
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def dialogs(page: Page) -> list[str]:
    """Open whatever opens a dialog, with the keyboard: the focus goes into it, Escape closes it and gives the focus
    back. A button whose words end in "…" opens one; of many with the same words the first is tried. Returns what is
    wrong."""
    wrong: list[str] = []
    for n in page.evaluate(_OPENERS):
        wrong += _dialog(page, page.locator(f"[data-opens='{n}']"))
    return wrong


def _dialog(page: Page, opener: Locator) -> list[str]:
    what = opener.evaluate("one => one.outerHTML.slice(0, 120)")
    opener.focus()
    page.keyboard.press("Enter")
    shown = page.locator("dialog[open]")
    if shown.count() == 0:
        return [f"no dialog opens: {what}"]
    wrong = [f"in the dialog of {what}: {fault}" for fault in faults(page)]
    if not page.evaluate("document.querySelector('dialog[open]').contains(document.activeElement)"):
        wrong.append(f"the focus does not go into the dialog of {what}")
    wrong += [f"in the dialog of {what}: {fault}" for fault in tab_through(page, "dialog[open]")]
    if overflow(page) > 0:
        wrong.append(f"the dialog of {what} is wider than the window")
    page.keyboard.press("Escape")
    if shown.count():
        wrong.append(f"Escape does not close the dialog of {what}")
        page.evaluate("document.querySelector('dialog[open]').close()")
    elif not opener.evaluate("one => one === document.activeElement"):
        wrong.append(f"the focus does not come back to {what}")
    return wrong
