"""Does the number of expected strangers come true? Held-out people, other sets, small collections.

    python -m benchmarks.expected_strangers --lfw F --fairface F --congress F --pack open [--cache F] [--out FILE]

*Held out*: people (of LFW) and photographs (of FairFace) are split in two halves by a hash of their names. The
calibration is made from one half and tried on the other, and the other way round: strangers observed over strangers
expected, where expected is 1e-2, 1e-3, 1e-4 a comparison. At 1e-2 and 1e-3 it must lie between 0.5 and 2. Intervals
are bootstrapped over probes.

*Shipped*: the calibration that comes with the pack on pairs of sets that it was not made from. *Small*: collections of
50, 200 and 1,000 faces. *Raw*: what a calibration over plain cosines would have done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.templates import Templates, templates
from countenance.domain.strangers import Calibration, background_of
from countenance.services.calibrate import PeopleSet, calibrate

RATES = (1e-2, 1e-3, 1e-4)
SAME = 0.5
"""Above this likeness two photographs of a set without names may be one person's; such pairs are left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("lfw", "fairface", "congress"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--pack", default="open")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    sets = {
        "lfw": people_of(templates(args.lfw, args.pack, args.cache), "lfw", labelled=True),
        "fairface": people_of(templates(args.fairface, args.pack, args.cache), "fairface", labelled=False),
        "congress": people_of(templates(args.congress, args.pack, args.cache), "congress", labelled=False),
    }
    result = {"measure": "expected strangers", "pack": args.pack, **machine.described()}
    result |= {
        "held_out": held_out(args.pack, sets),
        "shipped": shipped(args.pack, sets),
        "small": small(args.pack, sets),
        "raw": raw(sets),
    }
    machine.write(result, args.out)


def people_of(found: Templates, name: str, *, labelled: bool) -> tuple[PeopleSet, list[str]]:
    """A set and the name by which each photograph falls into a half: the person's, or its own."""
    names = [one.rpartition("/")[0] if labelled else one for one in found.names]
    people = found.people() if labelled else np.full(len(names), -1)
    return PeopleSet(name, found.vectors.astype(np.float32), people), names


def half(one: tuple[PeopleSet, list[str]], which: int) -> PeopleSet:
    chosen, names = one
    keep = np.array([hashlib.sha256(name.encode()).digest()[0] % 2 == which for name in names])
    return PeopleSet(chosen.name, chosen.templates[keep], chosen.people[keep])


def held_out(pack: str, sets: dict[str, Any]) -> list[dict[str, Any]]:
    """Made on one half, tried on the other: LFW × FairFace and FairFace × FairFace, as a calibration takes them."""
    rows = []
    for which in (0, 1):
        calibration = Calibration.from_json(calibrate(pack, [half(sets[name], which) for name in ("lfw", "fairface")]))
        lfw, fairface = (half(sets[name], 1 - which) for name in ("lfw", "fairface"))
        parts = [
            standardised(calibration, lfw, fairface),
            standardised(calibration, fairface, lfw),
            standardised(calibration, fairface, fairface),
        ]
        rows.append({"made_on": which, "tried_on": 1 - which, "rates": observed(calibration, parts)})
    return rows


def shipped(pack: str, sets: dict[str, Any]) -> list[dict[str, Any]]:
    calibration = shipped_calibration(pack)
    rows = []
    for probes, gallery in (
        ("congress", "fairface"),
        ("congress", "lfw"),
        ("fairface", "congress"),
        ("lfw", "congress"),
        ("lfw", "lfw"),
        ("congress", "congress"),
    ):
        table = standardised(calibration, sets[probes][0], sets[gallery][0])
        rows.append({"probes": probes, "collection": gallery, "rates": observed(calibration, [table])})
    return rows


def small(pack: str, sets: dict[str, Any]) -> list[dict[str, Any]]:
    """Collections of few faces: the mean over twenty draws of LFW, and the lowest and highest of them."""
    calibration = shipped_calibration(pack)
    rng = np.random.default_rng(1)
    rows = []
    lfw = sets["lfw"][0]
    for size in (50, 200, 1000):
        draws = []
        for _ in range(20):
            chosen = rng.choice(len(lfw.templates), size, replace=False)
            gallery = PeopleSet("lfw", lfw.templates[chosen], lfw.people[chosen])
            tables = [standardised(calibration, sets["congress"][0], gallery)]
            draws.append([one["observed_over_expected"] for one in observed(calibration, tables, rounds=0)])
        values = np.array(draws)
        rows.append(
            {
                "collection": size,
                "rates": [
                    {
                        "rate": rate,
                        "observed_over_expected": round(float(values[:, k].mean()), 3),
                        "lowest": round(float(values[:, k].min()), 3),
                        "highest": round(float(values[:, k].max()), 3),
                    }
                    for k, rate in enumerate(RATES)
                ],
            }
        )
    return rows


def raw(sets: dict[str, Any]) -> dict[str, Any]:
    """The share of pairs above the cosine that one in a thousand of FairFace × LFW reaches, elsewhere."""
    across = (sets["fairface"][0].templates @ sets["lfw"][0].templates.T).ravel()
    at = float(np.quantile(across, 1 - 1e-3))
    rows = []
    for probes, gallery in (
        ("fairface", "lfw"),
        ("congress", "fairface"),
        ("fairface", "fairface"),
        ("lfw", "congress"),
        ("lfw", "lfw"),
        ("congress", "congress"),
    ):
        one, other = sets[probes][0], sets[gallery][0]
        scores = one.templates @ other.templates.T
        strangers = apart(one, other, scores)
        rows.append({"probes": probes, "collection": gallery, "rate": float(f"{(scores[strangers] >= at).mean():.3g}")})
    return {"cosine": round(at, 4), "rates": rows}


def apart(one: PeopleSet, other: PeopleSet, scores: Any) -> Any:
    """Which pairs are of different people, as far as that is known."""
    if one.name != other.name:
        # A statesman can be in several sets.
        return scores < SAME
    if one.labelled:
        return one.people[:, None] != other.people[None, :]
    return scores < SAME


def standardised(calibration: Calibration, probes: PeopleSet, gallery: PeopleSet) -> tuple[Any, Any]:
    """(scores over their background, which of them count), each (probes, gallery)."""
    scores = probes.templates @ gallery.templates.T
    strangers = apart(probes, gallery, scores)
    out = np.empty_like(scores)
    for n, row in enumerate(scores):
        background = background_of(row[strangers[n]])
        low = calibration.standardised(0.0, background)
        out[n] = low + row * (calibration.standardised(1.0, background) - low)
    return out, strangers


def observed(calibration: Calibration, tables: list[tuple[Any, Any]], rounds: int = 200) -> list[dict[str, Any]]:
    """Observed over expected at each rate, with a 95 % interval from drawing the probes again and again."""
    rng = np.random.default_rng(1)
    counts = np.concatenate([strangers.sum(axis=1) for _, strangers in tables])
    rows = []
    for rate in RATES:
        z = float(np.interp(-np.log(rate), -np.log(calibration.fmr), calibration.z))
        above = np.concatenate([((table >= z) & strangers).sum(axis=1) for table, strangers in tables])
        row = {"rate": rate, "observed_over_expected": round(float(above.sum() / counts.sum() / rate), 3)}
        if rounds:
            picks = rng.integers(0, len(counts), (rounds, len(counts)))
            values = above[picks].sum(axis=1) / counts[picks].sum(axis=1) / rate
            row |= {
                "low": round(float(np.quantile(values, 0.025)), 3),
                "high": round(float(np.quantile(values, 0.975)), 3),
            }
        rows.append(row | {"errors": int(above.sum())})
    return rows


def shipped_calibration(pack: str) -> Calibration:
    from countenance.faces.packs import find_pack

    file = find_pack(pack).calibration_file
    if file is None:
        raise SystemExit(f"the pack {pack} has no calibration")
    return Calibration.from_json(json.loads(file.read_text()))


if __name__ == "__main__":
    main()
