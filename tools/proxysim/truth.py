"""What a world truly was, as JSON: every act with its class and its searches, and their sums."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tools.proxysim.traffic import Act
from tools.proxysim.world import World


def told(world: World) -> dict[str, Any]:
    """{"scenario", "seed", "days", "start", "totals", "acts"}; times as in the logs of a proxy whose clock is right."""
    logged = [act for act in world.acts if in_the_logs(world, act)]
    faces = [act for act in logged if act.category == "face"]
    return {
        "scenario": world.name,
        "seed": world.seed,
        "start": moment(world.start),
        "days": world.days,
        "totals": {
            "acts": len(world.acts),
            "acts_in_the_logs": len(logged),
            "people": len({act.person.login for act in faces}),
            "by_class": dict(sorted(Counter(act.truth for act in faces).items())),
            "searches": sum(act.searches for act in faces),
            "searches_outside_the_logs": sum(act.searches for act in world.acts if act.category == "face")
            - sum(act.searches for act in faces),
            "searchers": len({act.person.login for act in faces if act.searches}),
            "attempted": sum(act.attempted for act in faces),
        },
        "acts": [_act(world, act) for act in world.acts],
    }


def in_the_logs(world: World, act: Act) -> bool:
    """Whether any line of it was written and kept by a proxy."""
    return any(
        not one.quic and not any(gap.hides(act.person.proxy, one.at + one.seconds) for gap in world.gaps)
        for one in act.exchanges
    )


def _act(world: World, act: Act) -> dict[str, Any]:
    return {
        "number": act.number,
        "kind": act.kind,
        "login": act.person.login if act.person.signs_in else None,
        "address": act.person.address,
        "shared": act.person.shared,
        "inspected": act.person.inspected,
        "site": act.site,
        "category": act.category,
        "start": moment(act.start),
        "end": moment(act.end),
        "class": act.truth,
        "searches": act.searches,
        "attempted": act.attempted,
        "told_by": act.told_by,
        "in_the_logs": in_the_logs(world, act),
    }


def moment(seconds: float) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
