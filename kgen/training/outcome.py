"""What is said at the end of a run whose losses stayed finite but that learnt nothing."""

import math
from pathlib import Path

from kgen.callbacks.diagnostics import SENTENCES
from kgen.runs import directory

GROWN = 1_000  # times its first value: no loss of a recipe that learns has done so
HUGE = 1e5  # nor has one been as large as this
STILL = 1e-12  # norm of a gradient below it: the player does not move


def complaints(run: Path) -> list[str]:
    """Returns a sentence for each thing that went wrong for most of the second half of a run, and did so to its end.

    - A warning of the diagnosis: a saturated discriminator, a collapsed generator.
    - A loss whose size ends above 1,000 times its first size (of 1 if that was less), or above 1e5.
    - The loss of the only player, if it ends no lower than it began.
    - A player whose gradients are 0.

    Args:
        run: the run directory, with log.jsonl and diagnosis.jsonl.
    """
    log, diagnosis = (directory.read_lines(run / f"{name}.jsonl") for name in ("log", "diagnosis"))
    return [*lasting(diagnosis), *(grown(log) or risen(log)), *still(log)]


def lasting(diagnosis: list[dict]) -> list[str]:
    """Returns the warnings that most lines of the second half have, the last line too."""
    second = diagnosis[len(diagnosis) // 2 :]
    counts = {name: sum(name in line.get("warnings", ()) for line in second) for name in SENTENCES}
    return [
        f"it ends with a problem that {count} of its last {len(second)} diagnoses have: {SENTENCES[name](second[-1])}"
        for name, count in counts.items()
        if 2 * count > len(second) > 1 and name in second[-1].get("warnings", ())
    ]


def grown(log: list[dict]) -> list[str]:
    """Returns a sentence for each loss that has grown out of all bounds."""
    names = [name for name in log[-1] if name.endswith("_loss") and name in log[0]] if log else []
    ends = [(name, log[0][name], log[-1][name]) for name in names]
    return [
        f"{name} ended at {last:.3g} and began at {first:.3g}: training has not converged; a smaller --learning-rate "
        "may help."
        for name, first, last in ends
        if abs(last) > min(GROWN * max(abs(first), 1.0), HUGE)
    ]


def risen(log: list[dict]) -> list[str]:
    """Returns a sentence if the loss of the only player is no lower in the last line than in the first."""
    names = [name for name in log[-1] if name.endswith("_loss") and name in log[0]] if log else []
    if len(names) != 1 or len(log) < 2 or log[-1][names[0]] < log[0][names[0]]:
        return []
    return [
        f"{names[0]} ended at {log[-1][names[0]]:.3g} and began at {log[0][names[0]]:.3g}: nothing was learnt; a "
        "smaller --learning-rate or more --steps may help."
    ]


def still(log: list[dict]) -> list[str]:
    """Returns a sentence for each player whose gradients are 0 in most lines of the second half, the last line too."""
    second = log[len(log) // 2 :]
    names = [name for name in second[-1] if name.endswith("_gradient_norm")] if second else []
    counts = {name: sum(line.get(name, math.inf) < STILL for line in second) for name in names}
    return [
        f"{name} was 0 in {count} of the last {len(second)} lines of the log: nothing moves that player any more; a "
        "smaller --learning-rate or another --loss may help."
        for name, count in counts.items()
        if 2 * count > len(second) and second[-1][name] < STILL
    ]
