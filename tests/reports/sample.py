"""Analyses in their stored form, made by hand and by number, for what renders them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

BEGIN = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
CLASSES = (
    "BLOCKED",
    "BACKGROUND",
    "VISIT",
    "UPLOAD",
    "OPT_OUT",
    "SEARCH_SUBMITTED",
    "RESULTS_VIEWED",
    "INDETERMINATE",
)
SITES = {"pimeyes": "PimEyes", "facecheck": "FaceCheck.ID", "search4faces": "search4faces"}

_REASONS = {
    "BLOCKED": ["The proxy refused each of these requests."],
    "BACKGROUND": ["Only the start page was fetched, with a link scanner’s name as its agent."],
    "VISIT": ["Pages and their parts were fetched; nothing was sent."],
    "UPLOAD": ["1,204,331 bytes went up in one connection, which is what a photograph takes (calibrated error: 7 %)."],
    "OPT_OUT": ["The site’s form for being left out was sent."],
    "SEARCH_SUBMITTED": ["POST /api/search/new was answered with 200.", "A photograph was uploaded 4 seconds before."],
    "RESULTS_VIEWED": ["A page of results was opened 9 seconds after a search was submitted."],
    "INDETERMINATE": ["Only a tunnel to this host is seen: what was done inside is not in this log."],
}
_BOUNDS = {"SEARCH_SUBMITTED": (1, 1), "RESULTS_VIEWED": (1, 2), "UPLOAD": (0, 1), "INDETERMINATE": (0, 1)}
_CEILING = {"INDETERMINATE": "V1", "UPLOAD": "V2"}


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def session(number: int, grade: str, *, lines: int = 8, category: str = "face", seed: int = 1) -> dict[str, Any]:
    """One session, the same for the same arguments."""
    random = Random(f"{seed} {number}")
    site = "tineye" if category != "face" else random.choice(list(SITES))
    start = BEGIN + timedelta(days=random.randrange(28), minutes=random.randrange(600), milliseconds=number)
    least, most = _BOUNDS.get(grade, (0, 0))
    first = number * 20 + 1
    return {
        "id": f"V-{sha256(f'{seed}{category}{number}'.encode()).hexdigest()[:12]}",
        "user": f"P-{sha256(str(number % 64).encode()).hexdigest()[:10]}",
        "site": site,
        "category": category,
        "start": moment(start),
        "end": moment(start + timedelta(minutes=random.randrange(1, 20))),
        "requests": lines + 3,
        "class": grade,
        "ceiling": _CEILING.get(grade, "V3"),
        "searches": {"at_least": least, "at_most": most},
        "attempted": int(number % 7 == 0 and grade == "SEARCH_SUBMITTED"),
        "reasons": list(_REASONS[grade]),
        "would_change": ["A log with paths (ssl-bump) would show it."] if grade in ("INDETERMINATE", "UPLOAD") else [],
        "authorised": {"fit": "none", "words": "The same person held no authority at the time."},
        "stale": site == "facecheck",
        "evidence": [
            {
                "file": f"access.log.{number % 3}",
                "line": first + n,
                "at": moment(start + timedelta(seconds=n * 4)),
                "role": ("start page", "asset", "upload", "search", "results")[n % 5],
                "shown": f"{'POST' if n % 5 == 3 else 'GET'} {site}.example/api/part/{n}, 200, 1,234 bytes up",
            }
            for n in range(lines)
        ],
        "evidence_left_out": 3,
    }


def totals(sessions: list[dict[str, Any]]) -> dict[str, Any]:
    """Their counts, as the service makes them."""
    return {
        "requests": sum(s["requests"] for s in sessions),
        "sessions": len(sessions),
        "users": len({s["user"] for s in sessions}),
        "by_class": {grade: sum(s["class"] == grade for s in sessions) for grade in CLASSES},
        "searches": {side: sum(s["searches"][side] for s in sessions) for side in ("at_least", "at_most")},
        "indeterminate_requests": sum(s["requests"] for s in sessions if s["class"] == "INDETERMINATE"),
        "attempted": sum(s["attempted"] for s in sessions),
    }


def body(sessions: int = 40, *, lines: int = 8, seed: int = 1) -> dict[str, Any]:
    """A whole analysis with so many sessions on three face-search sites, and a few on a site for the same picture."""
    random = Random(seed)
    weights = (2, 3, 60, 4, 1, 5, 5, 20)
    grades = list(CLASSES)[:sessions] + random.choices(CLASSES, weights, k=max(0, sessions - len(CLASSES)))
    found = sorted(
        (session(n, grade, lines=lines, seed=seed) for n, grade in enumerate(grades)),
        key=lambda s: (s["start"], s["id"]),
    )
    reverse = [session(n, "VISIT", lines=2, category="reverse-image", seed=seed) for n in range(3)]
    gap = {"from": "2026-03-11T00:00:00Z", "to": "2026-03-12T14:00:00Z", "seconds": 136_800}
    quiet = {"from": "2026-03-08T01:00:00Z", "to": "2026-03-08T05:00:00Z", "seconds": 14_400}
    gaps = [quiet | {"usual_lines": 1, "unusual": False}, gap | {"usual_lines": 4_012, "unusual": True}]
    sentences = [
        "38 hours without any line: 11 Mar 00:00 to 12 Mar 14:00.",
        "Of the requests to these sites, 81 % were inspected; the rest shows a host alone.",
        "12 lines stood there twice and count once.",
    ]
    counts = totals(found)
    return {
        "analysis": f"L-{sha256(f'{sessions}{lines}{seed}'.encode()).hexdigest()[:12]}",
        "input": [
            {
                "file": f"access.log.{n}",
                "sha256": sha256(str(n).encode()).hexdigest(),
                "format": "squid",
                "lines": 120_000 + n,
                "rejected": n,
            }
            for n in range(3)
        ],
        "coverage": {"gaps": gaps, "sentences": sentences, "remedies": ["Inspecting HTTPS would show what was done."]},
        "profiles": [
            {
                "name": name,
                "title": title,
                "category": "face",
                "version": "2026.1",
                "checked": "2026-01-15",
                "stale_after": "2026-07-15" if name != "facecheck" else "2026-02-15",
                "stale": name == "facecheck",
            }
            for name, title in SITES.items()
        ],
        "options": {"by": "user", "gap_minutes": 30},
        "summary": [
            f"{counts['requests']:,} hits are {counts['sessions']} sessions by {counts['users']} users: "
            f"at least {counts['searches']['at_least']} and at most {counts['searches']['at_most']} searches.",
            f"{counts['indeterminate_requests']:,} hits cannot be told: these lines show that a site was reached, and "
            "not what was done there.",
            *sentences,
        ],
        "totals": counts,
        "sites": [
            {"site": name, "title": title, "category": "face"} | totals([s for s in found if s["site"] == name])
            for name, title in SITES.items()
        ],
        "sessions": found,
        "reverse_image": {"totals": totals(reverse), "sessions": reverse},
        "rejected": {
            "total": 3,
            "by_reason": {"fields": 2, "time": 1},
            "listed": [{"file": f"access.log.{n}", "line": 7 + n, "reason": "fields"} for n in (1, 2)]
            + [{"file": "access.log.2", "line": 99, "reason": "time"}],
        },
    }
