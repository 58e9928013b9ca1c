"""The legal bases that a source or an authority may rest on, in plain words.

Sources: GDPR and UK GDPR art. 6(1) and 9(2), UK DPA 2018 part 3. Not legal
advice; the words help the person who registers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """One basis: its code, what it means, and whether a document has to be named (`--basis-document`)."""

    code: str
    meaning: str
    needs_document: bool


BASES: dict[str, Basis] = {
    b.code: b
    for b in (
        Basis("own", "Pictures of yourself, or that you made and may use for this.", False),
        Basis("consent", "Everybody shown agreed to be searchable by face, and can withdraw.", False),
        Basis("contract", "A contract with the people shown or the pictures' holder covers this use.", True),
        Basis("public-task", "A task in the public interest laid down by law.", True),
        Basis(
            "legitimate-interests",
            "A written balancing test found that the interest outweighs theirs.",
            True,
        ),
        Basis(
            "law-enforcement",
            "A competent authority's purpose, strictly necessary, with a policy.",
            True,
        ),
    )
}
