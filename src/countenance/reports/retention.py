"""The retention schedule and receipts of destruction, as text and on paper. Same values, same bytes."""

from __future__ import annotations

from typing import Any

from countenance.reports.paper import printed
from countenance.reports.plain import printable

TITLE = "How long personal data is kept"


def policy_text(body: dict[str, Any]) -> str:
    """The schedule as Markdown, for the public and the data-protection officer."""
    lines = [f"# {TITLE}", "", body["job"], ""]
    for rule in body["rules"]:
        lines += [f"## {rule['title']}", "", *(f"- {name}: {words}" for name, words in _said(rule)), ""]
    lines += ["## What is not kept", "", body["not_kept"], "", "## Legal holds", "", body["holds"], ""]
    return "\n".join(lines)


def policy_pdf(body: dict[str, Any], *, demo: bool = False) -> bytes:
    """The same as PDF/A-2a and PDF/UA-1. Raises Unavailable when the extra `reports` is not installed."""
    sections = [{"title": rule["title"], "facts": _facts(_said(rule))} for rule in body["rules"]]
    after = [{"title": "What is not kept", "text": body["not_kept"]}, {"title": "Legal holds", "text": body["holds"]}]
    return printed(
        "retention", {"title": TITLE, "lede": body["job"], "sections": sections, "after": after, "demo": demo}
    )


def receipt_pdf(body: dict[str, Any], *, demo: bool = False) -> bytes:
    """A receipt of destruction on paper, with the entry and the key that prove it. Raises as `policy_pdf` does."""
    at = body["destroyed_at"][:19].replace("T", " ")
    sections = [{"title": one["title"], "facts": _facts(destroyed(one))} for one in body["destroyed"]]
    proof = (
        f"This is entry {body['receipt']} of the ledger. The receipt in JSON proves it to anybody who has the ledger's "
        f"public key: {body['key']}"
    )
    return printed(
        "retention",
        {
            "title": "Receipt of destruction",
            "lede": f"Destroyed on {at} UTC, because its time was over. Nothing here says what or who it was.",
            "sections": sections,
            "after": [{"title": "Proof", "text": proof}],
            "demo": demo,
        },
    )


def destroyed(one: dict[str, Any]) -> list[tuple[str, str]]:
    """What a receipt says of one rule, in words."""
    first, last = (one[name][:16].replace("T", " ") for name in ("due_from", "due_to"))
    facts = [("How many", f"{one['count']:,}"), ("Due", f"{first} UTC" if first == last else f"{first} to {last} UTC")]
    facts += [(name.capitalize(), f"{count:,}") for name, count in one["parts"].items()]
    if one["entries"]:
        facts.append(("Entries", ", ".join(map(str, one["entries"]))))
    return facts


def _said(rule: dict[str, Any]) -> list[tuple[str, str]]:
    setting = f" (setting `{rule['setting']}`)" if rule["setting"] else ""
    since = f" from {rule['since']}" if rule["since"] else ""
    return [
        ("What", rule["kept"]),
        ("Kept", f"{rule['for']}{since}{setting}"),
        ("Then", rule["ends"]),
        ("Ended by", rule["by"]),
        ("Why", rule["why"]),
    ]


def _facts(pairs: list[tuple[str, str]]) -> list[list[str]]:
    return [[name, printable(words, 2000).replace("`", "")] for name, words in pairs]
