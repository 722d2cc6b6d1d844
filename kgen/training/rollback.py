"""Goes on after a divergence: from the last checkpoint, at half of the learning rates, a few times."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.core import rates
from kgen.errors import Diverged

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer

FACTOR = 0.5
MOST = 5  # rollbacks in a run
FILE = "rollbacks.jsonl"


def lowered(trainer: "BaseTrainer", fault: Diverged) -> float:
    """Returns the factor on all rates that comes after the trainer's.

    Raises:
        Diverged: it has been lowered `MOST` times, in this process or before a resumption.
    """
    factor = float(trainer.rate_factor.numpy()) * FACTOR
    if factor < FACTOR**MOST:
        raise Diverged(f"{fault} Rates were halved {MOST} times, which did not help.") from fault
    return factor


def go_on(trainer: "BaseTrainer", factor: float, fault: Diverged, step: int, run: Path) -> None:
    """Lowers the rates of a trainer that was set back to a checkpoint; says so on stderr and in rollbacks.jsonl.

    Args:
        trainer: restored, or new if there was no checkpoint.
        factor: on the rates that the recipe gives.
        fault: why.
        step: of the checkpoint.
        run: the run directory.
    """
    rates.lower(trainer, factor)
    reason = str(fault).partition(";")[0]
    with (run / FILE).open("a") as file:
        file.write(json.dumps({"step": step, "rate_factor": factor, "reason": reason}) + "\n")
    print(f"{reason}: back to step {step}, at {factor:g} of the learning rates.", file=sys.stderr)
