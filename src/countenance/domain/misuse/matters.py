"""Several signs of one thing are one matter: what an overseer asks one person about at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from countenance.domain.misuse.flag import SEVERITIES, Flag

_WORST = {name: -n for n, name in enumerate(SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Matter:
    """Flags about the same people that hang together by the entries they rest on, the gravest first."""

    flags: tuple[Flag, ...]

    @property
    def severity(self) -> str:
        """That of its gravest flag."""
        return self.flags[0].severity

    @property
    def people(self) -> tuple[str, ...]:
        """Whom it is about."""
        return self.flags[0].people

    @property
    def entries(self) -> tuple[int, ...]:
        """Every entry that one of its flags rests on, in order."""
        return tuple(sorted({seq for flag in self.flags for seq in flag.entries}))

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "severity": self.severity,
            "people": list(self.people),
            "flags": [flag.as_json() for flag in self.flags],
        }


def worst_first(flags: Iterable[Flag]) -> list[Flag]:
    """Flags by grade, the gravest first; those of one grade by rule, and in the order of their entries."""
    return sorted(flags, key=lambda flag: (_WORST[flag.severity], flag.rule, flag.entries))


def matters_of(flags: Iterable[Flag]) -> tuple[Matter, ...]:
    """Flags folded into matters, the gravest first; of one grade, those in which more signs agree.

    Two flags are of one matter when they are about the same people and rest on an entry that both name, or when a third
    joins them so.
    """
    groups: list[tuple[set[tuple[tuple[str, ...], int]], list[Flag]]] = []
    for flag in flags:
        keys = {(tuple(sorted(flag.people)), seq) for seq in flag.entries}
        members, rest = [flag], []
        for group in groups:
            if group[0] & keys:
                keys |= group[0]
                members += group[1]
            else:
                rest.append(group)
        groups = [*rest, (keys, members)]
    found = [Matter(tuple(worst_first(members))) for _, members in groups]
    return tuple(sorted(found, key=lambda one: (_WORST[one.severity], -len({f.rule for f in one.flags}), one.entries)))
