"""Rules on what was written: the same justification again and again, for different cases."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

from countenance.domain.acts import Acts, Grant
from countenance.domain.misuse.flag import Flag, Tunables, joined

_WORD = re.compile(r"[^\W\d_]+")
_REFERENCE = re.compile(r"\S*\d\S*")


def shingles(text: str, size: int = 5) -> frozenset[str]:
    """Every run of `size` characters of the text's words, in small letters; whatever holds a digit (a reference, a
    date) is left out, so that a text in which only the number changes is the same text."""
    plain = " ".join(_WORD.findall(_REFERENCE.sub(" ", text.casefold())))
    return frozenset(plain[n : n + size] for n in range(max(1, len(plain) - size + 1)))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared shingles over all (Jaccard), 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if one or other else 1.0


def repeated_words(acts: Acts, tunables: Tunables) -> list[Flag]:
    """Justifications of one person that are nearly one text, for at least `words_least` different cases.

    Read are the reasons of requests, where they were opened, and else the purpose. Two requests are alike when both
    their texts are: honest people keep one sentence on proportionality and use it in every case, but what made a search
    necessary differs from case to case.
    """
    by_person: dict[str, list[Grant]] = defaultdict(list)
    for grant in acts.grants:
        if acts.since <= grant.at < acts.until:
            by_person[grant.holder].append(grant)
    flags = []
    for who, grants in sorted(by_person.items()):
        for group in _groups(grants, tunables.alike_words):
            cases = tuple(dict.fromkeys(grant.case for grant in group))
            if len(cases) < tunables.words_least:
                continue
            text = Counter(" ".join(_texts(grant)[0].split()) for grant in group).most_common(1)[0][0]
            shown = text if len(text) <= 80 else text[:79] + "…"
            reason = (
                f"{who} gave nearly the same justification for {len(cases)} cases ({joined(cases)}), for instance "
                f"“{shown}”"
            )
            severity = "look" if len(cases) > tunables.words_least else "notice"
            entries = tuple(sorted(grant.seq for grant in group))
            flags.append(Flag("repeated-justification", severity, reason, entries, (who,), cases))
    return flags


def _texts(grant: Grant) -> tuple[str, ...]:
    return grant.reasons or (grant.purpose,)


def _groups(grants: list[Grant], least: float) -> list[list[Grant]]:
    """Grants whose texts are alike to those of the first of their group.

    Two sets that share so much share one of their rarest members, so that only groups that do are compared: in years of
    grants nearly all do not.
    """
    every = [[shingles(text) for text in _texts(grant)] for grant in grants]
    common = Counter(one for texts in every for one in texts[0])
    groups: list[tuple[list[frozenset[str]], list[Grant]]] = []
    with_it: dict[str, list[int]] = defaultdict(list)
    for grant, texts in zip(grants, every, strict=True):
        rarest = sorted(texts[0], key=lambda one: (common[one], one))[: _enough(len(texts[0]), least)]
        for number in sorted({number for one in rarest for number in with_it[one]}):
            first, members = groups[number]
            if len(first) == len(texts) and all(_alike(a, b, least) for a, b in zip(first, texts, strict=True)):
                members.append(grant)
                break
        else:
            for one in rarest:
                with_it[one].append(len(groups))
            groups.append((texts, [grant]))
    return [members for _, members in groups]


def _enough(size: int, least: float) -> int:
    """Of a set of this size, how many members one has to look at to meet one that it shares with a set this similar:
    they share at least `least` of the larger one."""
    return size - max(1, math.ceil(least * size - 1e-9)) + 1


def _alike(one: frozenset[str], other: frozenset[str], least: float) -> bool:
    # The sizes alone bound the similarity, and most pairs need no more.
    small, large = sorted((len(one), len(other)))
    return small >= least * large and similarity(one, other) >= least
