"""The table of `benchmarks/README.md` from result files.

    python -m benchmarks.table benchmarks/results/*.json

Replaces what stands between the two marks in the README. A search measure is what `search_speed.py --json` printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def main() -> None:
    files = [Path(name) for name in sys.argv[1:]]
    if not files:
        raise SystemExit(__doc__)
    rows = ["| measure | result | wanted | how, when |", "| --- | --- | --- | --- |"]
    for file in files:
        result = json.loads(file.read_text())
        kind = result.get("measure", "search" if "faiss_flat" in result else "")
        write = WRITERS.get(kind)
        if write is None:
            raise SystemExit(f"{file}: what measure is this?")
        when = f"{result.get('date', '')}, load before {result.get('load_before', '?')}".strip(", ")
        rows += [f"| {name} | {value} | {wanted} | {when} |" for name, value, wanted in write(result)]
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{after}")


def ingest(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    title = f"ingest of {r['name']}, `{r['pack']}`"
    memory = f"{r['peak_memory_mib']} MiB; over half of them {r['peak_memory_half_mib']} MiB"
    seconds = (
        f"{1e3 * r['cpu_seconds_per_image']:.1f} ms; the models alone {1e3 * r['limit_cpu_seconds_per_image']:.1f} ms"
    )
    return [
        (
            f"{title}: photographs a second",
            f"{r['images_per_second']:.1f}; the models alone {r['limit_images_per_second']:.1f}",
            "",
        ),
        (f"{title}: ratio to the models alone", f"{r['ratio']:.3f}", f"≥ {r['target']}"),
        (f"{title}: the same, of processor seconds", f"{r['cpu_ratio']:.3f}", f"≥ {r['target']}"),
        (f"{title}: processor a photograph", seconds, ""),
        (f"{title}: most memory", memory, "< 2,048 MiB, not growing"),
    ]


def accuracy(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    search = r["search"]
    through = "" if search["through"] == "searches" else " (templates compared)"
    fnir = f"FNIR at FPIR 1 %, {search['enrolled_people']} enrolled, {search['strangers']:,} strangers{through}"
    return [
        (f"rank-1, LFW, `{r['pack']}`", _share(r["rank_1"]), ""),
        (f"{fnir}, `{r['pack']}`", _share(search["fnir"]), ""),
    ]


def strangers(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    for one in r["held_out"]:
        for rate in one["rates"]:
            wanted = "0.5–2" if rate["rate"] >= 1e-3 else ""
            half = f"held-out half {one['tried_on'] + 1}, `{r['pack']}`"
            name = f"observed over expected strangers at {rate['rate']:g}, {half}"
            value = f"{rate['observed_over_expected']:.2f} ({rate['low']:.2f}–{rate['high']:.2f})"
            rows.append((name, value, wanted))
    return rows


def peers(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    mine, found, ratios = r["countenance"], r["peers"], r["ratios"]
    rows = []
    for name, one in found.items():
        if "not_measured" in one:
            rows.append((name, f"not measured: {one['not_measured']}", ""))
            continue
        wanted = "≥ 3 with bf16" if name == "deepface" else ""
        value = (
            f"{ratios[f'ingest_over_{name}']:.1f} ({mine['images_per_second']:.1f} to {one['images_per_second']:.1f})"
        )
        rows.append((f"ingest of {one['images']:,} photographs over {one['peer']}", value, wanted))
        if one.get("rank_1") and mine.get("rank_1"):
            value = f"{mine['rank_1']['value']:.4f} and {one['rank_1']['value']:.4f}"
            rows.append((f"rank-1 on them, ours and {name}'s", value, ""))
        if "find_ms" in one:
            find = one["find_ms"]["p50"]
            whole = mine["photograph_to_receipt_ms"]
            value = f"{ratios['find_over_photograph_to_receipt']:.1f} ({whole:.1f} to {find:.1f} ms)"
            rows.append((f"photograph to receipt over {name}'s find", value, "≥ 4"))
            ours = mine["search_without_embedding_ms"]
            value = f"{ratios['find_over_search_without_embedding']:.1f} ({ours:.1f} to {find:.1f} ms)"
            rows.append((f"search without the embedding over {name}'s find", value, "≥ 20"))
    return rows


def search(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    title = f"search among {r['n']:,} × {r['dimension']}"
    mine = r["index"]["ms"]
    return [
        (f"{title}: p50, p99", f"{mine['p50']:.2f} ms, {mine['p99']:.2f} ms", ""),
        (
            f"{title}: over FAISS Flat (p50)",
            f"{r['ratio']['p50']:.1f}",
            "≥ 6 at a million" if r["n"] >= 1_000_000 else "",
        ),
        (f"{title}: identity recall against exact", f"{r['identity_recall']:.6f}", ""),
    ]


def _share(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:.2f} % ({100 * one['low']:.2f}–{100 * one['high']:.2f}, {one['n']:,} probes)"


def proxylog(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    size = r["megabytes"]
    title = (
        f"reading {f'{size / 1000:.0f} GB' if size >= 1000 else f'{size} MB'} of Squid's log, 1 line in 10,000 relevant"
    )
    rows = [
        (f"{title}: MB a second", f"{r['mb_per_s']:.0f} ({r['lines_per_s']:,} lines)", "≥ 100"),
        (f"{title}: most memory", f"{r['peak_mb']} MB", "≤ 500 MB"),
        (f"{title}: times as long as reading and hashing alone", f"{r['times_plain']:.1f}", ""),
    ]
    for name, one in sorted(r.get("peers", {}).items()):
        seconds = one.get("seconds")
        told = f"{seconds:.1f} s, ours {r['seconds']:.1f} s" if seconds else f"more than {one.get('longer_than', 0)} s"
        rows.append((f"{title}: {name}, which answers less", told, ""))
    return rows


def ledger(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    threads, many = r["threads"], r.get("large", {})
    raw = f"{threads['over_raw']} of {r['raw_syncs_per_s']:,} bare syncs a second in the same run"
    rows = [
        (f"ledger: durable appends a second, {threads['threads']} threads", f"{threads['per_s']:,}; {raw}", "≥ 1,000"),
        (
            "ledger: one append when idle: p50, p99",
            f"{r['idle']['p50_ms']} ms, {r['idle']['p99_ms']} ms",
            "p99 ≤ 25 ms",
        ),
    ]
    for one in r["processes"]:
        name = f"ledger: durable appends a second, {one['processes']} processes of {one['threads']} threads"
        rows.append((name, f"{one['per_s']:,}; p99 {one['p99_ms']} ms", ""))
    if many:
        title = f"ledger of {many['entries']:,} entries"
        size = f"{many['bytes_on_disk'] / 1e6:,.0f} MB ({many['bytes_an_entry']} bytes an entry)"
        rows.append((f"{title}: on disk", size, "≤ 1,000 MB at a million"))
        for name in ("bundle", "folder"):
            one = many[name]
            value = f"{one['per_s']:,}; most memory {one['peak_mb']} MB"
            rows.append((f"{title}: verified a second, as a {name}", value, "≥ 100,000"))
    return rows


def house(r: dict[str, Any]) -> list[tuple[str, str, str]]:
    title = f"a home whose ledger has {r['entries']:,} entries"
    search = r["search"]["again"]
    rest = search["seconds"] - search["embedding_seconds"]
    memory = f"most memory {search['peak_mb']} MB"
    rows = [(f"{title}: a cold `search` without the embedding", f"{rest:.2f} s; {memory}", "≤ 2 s")]
    commands = {"status": "status", "authority_list": "authority list"}
    commands |= {"oversee_year": "oversee summary, of a year", "oversee_ever": "oversee summary, of everything"}
    for name, words in commands.items():
        one = r[name]["again"]
        rows.append((f"{title}: `{words}`", f"{one['seconds']} s; most memory {one['peak_mb']} MB", ""))
    for name, words, most in (("console_year", "of a year", "≤ 10 s"), ("console_ever", "of everything", "≤ 60 s")):
        one = r[name]
        rows.append((f"{title}: page *Oversight* {words}, the first in a server", f"{one['first']} s", most))
        links = "; ".join(
            f"{words} {one[key]} s"
            for key, words in {"by_person": "a person", "by_sign": "a sign", "one_act": "one search"}.items()
        )
        rows.append((f"{title}: its links {words}", links, "≤ 2 s"))
    rows.append((f"{title}: `serve` until it answers", f"{r['console_year']['answers']} s", ""))
    rows.append((f"{title}: most memory of that server", f"{r['console_ever']['peak_mb']} MB", ""))
    return rows


WRITERS = {
    "house": house,
    "ingest": ingest,
    "accuracy": accuracy,
    "expected strangers": strangers,
    "peers": peers,
    "search": search,
    "proxylog": proxylog,
    "ledger": ledger,
}


if __name__ == "__main__":
    main()
