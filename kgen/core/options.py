"""The options of a run besides its paper's numbers: data, device, intervals, evaluation. Each field is a flag.

The annotation of a field may have marks. They say whether a resumed run may change the field, whether a search may vary
it, and whether it is a path on this machine.
"""

import dataclasses
import enum
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from kgen.data.spellings import colour, sides
from kgen.errors import UsageError


class Mark(enum.Enum):
    """What may be done with a field."""

    MAY_CHANGE = "a resumed run may change it"
    NOT_SEARCHED = "a search does not vary it: losses would not compare, or would not change"
    PATH = "a path, made absolute so that a run can be resumed from another folder"


MAY_CHANGE, NOT_SEARCHED, PATH = Mark.MAY_CHANGE, Mark.NOT_SEARCHED, Mark.PATH


Clock = Annotated[int, MAY_CHANGE, NOT_SEARCHED]
Place = Annotated[Path | None, MAY_CHANGE, NOT_SEARCHED, PATH]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Data, device, intervals and evaluation of a run."""

    dataset: Annotated[str, NOT_SEARCHED] = "mnist5k"  # A name of docs/datasets.md, or folder:PATH.
    split: Annotated[str, NOT_SEARCHED] = "train"  # To train on, as in TFDS: train, train[:50000], train+test.
    data_dir: Place = None  # Folder of the official archives; without it tensorflow-datasets loads the data.
    image_size: Annotated[int | str | None, NOT_SEARCHED] = None  # Pixels, 64 or 64x96 (height x width); else its own.
    crop: Annotated[Literal["center", "squash"], NOT_SEARCHED] = "center"  # Photographs: cropped, or squashed whole.
    background: Annotated[str | None, NOT_SEARCHED] = None  # Behind transparent pixels: white, black or #rrggbb.
    classes: Annotated[str | None, NOT_SEARCHED] = None  # Only these classes, by name or number, with commas.
    skip_bad: Annotated[bool, MAY_CHANGE, NOT_SEARCHED] = False  # Leave out pictures that cannot be read.

    precision: Literal["float32", "mixed_bfloat16"] = "float32"  # Of the layers' arithmetic; weights stay float32.
    jit: Literal["auto", "on", "off"] = "auto"  # XLA: auto is on for a GPU and off for a CPU, where it is slower.
    devices: Annotated[int, MAY_CHANGE, NOT_SEARCHED] = 1  # Devices of each machine; a batch is divided among them.
    batch_norm: Annotated[Literal["synchronized", "local"], NOT_SEARCHED] = "synchronized"  # Over all devices, or each.
    steps_per_execution: int = 1  # Steps between two returns to Python; 50 makes a GPU faster.

    log_every: Clock = 50  # Steps between lines of log.jsonl and points in TensorBoard.
    sample_every: Clock = 250  # Steps between pictures.
    checkpoint_every: Clock = 500  # Steps between checkpoints.
    keep: Clock = 3  # How many of the newest checkpoints are kept.
    on_nan: Annotated[Literal["stop", "rollback"], MAY_CHANGE, NOT_SEARCHED] = "stop"  # A NaN: stop, or retry slower.
    histograms: Annotated[bool, MAY_CHANGE, NOT_SEARCHED] = False  # Whether TensorBoard gets all weights' histograms.
    profile: Clock = 0  # Steps to profile for TensorBoard, after the first ten; 0 is none.

    evaluate: Annotated[str, MAY_CHANGE, NOT_SEARCHED] = ""  # Metrics to take while training, see docs/metrics.md.
    evaluate_every: Clock = 1_000  # Steps between two evaluations.
    evaluate_count: Clock = 2_000  # Images drawn for each evaluation.
    evaluate_on: Annotated[str | None, MAY_CHANGE, NOT_SEARCHED] = None  # Split to compare with, else held-out images.
    best_by: Annotated[str | None, NOT_SEARCHED] = None  # A metric; the weights that are best by it are exported.
    classifier: Place = None  # Run directory of a classifier; metrics take its features.
    inception: Place = None  # Weights of the 2015 Inception, .npz; metrics take its features.

    def __post_init__(self) -> None:
        for name in ("log_every", "sample_every", "checkpoint_every", "keep", "evaluate_every", "evaluate_count"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        for name in ("devices", "steps_per_execution"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        inside = all(4 <= side <= 1024 for side in sides(self.image_size) or ())
        self.demand(inside, "image_size", "from 4 to 1024")
        colour(self.background)
        named = self.classes is None or self.classes.strip(" ,")
        self.demand(named, "classes", "names or numbers, separated by commas")
        for name in ("log_every", "sample_every", "checkpoint_every", "evaluate_every"):
            self.demand_whole_executions(name)
        self.demand(self.profile >= 0, "profile", "0 or more")
        known = self.best_by in (None, *self.metrics)
        self.demand(known, "best_by", f"one of --evaluate, {self.evaluate or 'which is empty'}")
        self.demand(not (self.classifier and self.inception), "classifier", "left out where there is --inception")

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics to take while training."""
        return [name.strip() for name in self.evaluate.split(",") if name.strip()]

    def demand(self, condition: Any, name: str, accepted: str) -> None:
        """Raises `UsageError` unless `condition` holds; it names the flag, what it accepts and what it was given."""
        if not condition:
            raise UsageError(f"--{name.replace('_', '-')} must be {accepted}, not {getattr(self, name)}.")

    def demand_whole_executions(self, name: str) -> None:
        """Raises `UsageError` unless the field `name`, a number of steps, is a multiple of `steps_per_execution`."""
        whole = getattr(self, name) % self.steps_per_execution == 0
        self.demand(whole, name, f"a multiple of --steps-per-execution {self.steps_per_execution}")


def marked(options: RunOptions, mark: Mark) -> list[str]:
    """Returns the names of the fields that have a mark, in order."""
    hints = typing.get_type_hints(type(options), include_extras=True)
    return [f.name for f in dataclasses.fields(options) if mark in getattr(hints[f.name], "__metadata__", ())]
