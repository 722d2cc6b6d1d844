"""What a session found, as tables."""

import math
from typing import Any

from kgen.studies.benchmark.results import Spread, pace, speedups, spread, values

BUSY = 0.2  # cores; with more taken by others, a number is marked


def table(found: dict[str, Any]) -> str:
    """Returns a table for each case, and below it what was left out and where the time of kgen's steps goes."""
    return "\n".join(part for name, entry in found["cases"].items() for part in case(name, entry))


def case(name: str, entry: dict[str, Any]) -> list[str]:
    """Returns the lines of a case."""
    measured = [who for who, runs in entry["runs"].items() if runs]
    lines = [f"## {name}: {entry['about']}", ""]
    if measured:
        lines += rows(["", entry["unit"], "parts", "kgen is faster by", "until first", "memory"], entry, measured)
    lines += [f"{who}: {why.rstrip('.')}." for who, why in entry["skipped"].items()]
    if any((run["others"] or 0) > BUSY for who in measured for run in entry["runs"][who]):
        lines.append("* Other processes took more than a fifth of a core meanwhile: repeat it on a quiet machine.")
    if measured and "where" in entry["runs"][measured[0]][0]:
        lines += ["", *where(entry["runs"][measured[0]])]
    return [*lines, ""]


def rows(header: list[str], entry: dict[str, Any], measured: list[str]) -> list[str]:
    """Returns the lines of a Markdown table with a row for each contestant."""
    lines = [header, ["---"] * len(header)]
    for who in measured:
        runs, found = entry["runs"][who], spread(values(entry, who))
        ratios = speedups(entry, measured[0], who) if who != measured[0] else []
        busy = "*" if any((run["others"] or 0) > BUSY for run in runs) else ""
        first, memory = (spread([run[key] for run in runs]).median for key in ("first", "peak_memory"))
        faster = shown(spread(ratios)) if ratios else "-"
        lines.append(
            [who + busy, shown(found), str(found.count), faster, f"{first:.1f} s", f"{memory / 2**20:,.0f} MiB"]
        )
    return [f"| {' | '.join(line)} |" for line in lines]


def shown(found: Spread) -> str:
    """Returns a median and its range as text, with three digits."""
    rounded = float(f"{found.median:.3g}")  # 99.99 has the digits of 100
    digits = max(0, 2 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    median, least, most = (f"{number:,.{digits}f}" for number in found[:3])
    return f"{median} ({least} to {most})"


def where(runs: list[dict[str, Any]]) -> list[str]:
    """Returns the lines that say where the time of kgen's steps goes; medians over processes."""
    step = spread([pace(run) * run["amount"] for run in runs]).median
    lines = [["where a step goes", "ms", "share"], ["---"] * 3, ["step of the run", f"{1e3 * step:.2f}", "100 %"]]
    for name in runs[0]["where"]:
        seconds = spread([run["where"][name] for run in runs if name in run["where"]]).median
        lines.append([name, f"{1e3 * seconds:.2f}", f"{seconds / step:.0%}"])
    rate = runs[0]["flops"] / step
    shares = []
    for name in runs[0]["ceilings"]:
        most = spread([run["ceilings"][name] for run in runs]).median
        shares.append(f"{rate / most:.0%} of a large {name} ({most / 1e9:,.0f})")
    told = f"{runs[0]['flops'] / 1e9:,.2f} GFLOP a step, {rate / 1e9:,.0f} GFLOP/s: {', '.join(shares)}."
    return [*(f"| {' | '.join(line)} |" for line in lines), "", told]


def comparison(new: dict[str, Any], old: dict[str, Any]) -> str:
    """Returns the speeds of a session beside those of an older one, and what of the machine differs."""
    differs = [
        f"{key} {value} -> {new['environment'].get(key)}"
        for key, value in old["environment"].items()
        if new["environment"].get(key) != value
    ]
    lines = [["case", "", "before", "now", "faster by"], ["---"] * 5]
    for name, entry in new["cases"].items():
        before = old["cases"].get(name, {"runs": {}})
        for who in [who for who in entry["runs"] if entry["runs"][who] and before["runs"].get(who)]:
            pair = [spread(values(each, who)) for each in (before, entry)]
            paces = [spread([pace(run) for run in each["runs"][who]]).median for each in (before, entry)]
            apart = pair[0].least > pair[1].most or pair[1].least > pair[0].most
            ratio = f"{paces[0] / paces[1]:.2f}" + ("" if apart else ", ranges overlap")
            lines.append([name, who, *map(shown, pair), ratio])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else "No case is in both."
    return f"{text}\n" + (f"\nNot the same machine or versions: {'; '.join(differs)}.\n" if differs else "")
