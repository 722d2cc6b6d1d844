"""Recipes: the numbers of a published run. Their fields are the command line's flags, their JSON reproduces the run."""

import dataclasses
import difflib
import importlib
import json
import pkgutil
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kgen.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every recipe has; a paper's file adds its own numbers and `game()`."""

    dataset: str = "mnist5k"  # mnist5k, mnist, cifar10, celeba, lines, ring or folder:PATH.
    split: str = "train"  # Part of the dataset to train on, as in TFDS: train, test, train[:50000].
    data_dir: Path | None = None  # Where the official archives lie; without it tensorflow-datasets is asked.
    image_size: int | None = None  # Height and width in pixels; the dataset's own when not given.
    crop: Literal["center", "squash"] = "center"  # How photographs become square: cropped, or the whole frame squashed.
    classes: str | None = None  # Only these classes, by name or number, separated by commas.

    steps: int = 2_000  # Rounds to train.
    batch_size: int = 64  # Images in a batch.
    seed: int = 0  # Determines the initial weights, the order of the images and all noise.
    ema: float = 0.0  # Decay of the generator's moving average, such as 0.999; then sampled and exported instead.
    precision: Literal["float32", "mixed_bfloat16"] = "float32"  # Of the layers' arithmetic; weights stay float32.
    jit: Literal["auto", "on", "off"] = "auto"  # XLA: auto is on for a GPU and off for a CPU, where it is slower.
    rounds_per_execution: int = 1  # Rounds between two returns to Python; 50 helps a GPU.

    log_every: int = 50  # Steps between lines of log.jsonl and points in TensorBoard.
    sample_every: int = 250  # Steps between pictures.
    checkpoint_every: int = 500  # Steps between checkpoints.
    keep: int = 3  # Checkpoints kept, the newest.

    histograms: bool = False  # Whether TensorBoard gets histograms of all weights, with each picture.
    profile: int = 0  # Rounds to profile for TensorBoard, after the first ten; 0 is none.

    evaluate: str = ""  # Metrics to take while training, separated by commas: those of scripts/evaluate.py.
    evaluate_every: int = 1_000  # Steps between them.
    evaluate_count: int = 2_000  # Images drawn for them.
    evaluate_on: str | None = None  # Split to compare with; the dataset's validation images if not given.
    best_by: str | None = None  # Metric of --evaluate by which the best weights are kept, shown and exported.
    judge: Path | None = None  # Run directory of a classifier, whose features the metrics are of.
    inception: Path | None = None  # Weights of the 2015 Inception, .npz, to be used instead.

    # No flags of every recipe, see kgen.core.held_out.
    holds_out, patience, start_from = False, 0, None

    def __post_init__(self):
        clocks = ("steps", "log_every", "sample_every", "checkpoint_every", "evaluate_every")
        for name in (*clocks, "evaluate_count", "batch_size", "rounds_per_execution", "keep"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.image_size is None or 4 <= self.image_size <= 1024, "image_size", "from 4 to 1024")
        named = self.classes is None or self.classes.strip(" ,")
        self.demand(named, "classes", "names or numbers, separated by commas")
        self.demand(0.0 <= self.ema < 1.0, "ema", "at least 0 and below 1")
        self.demand(0 <= self.seed < 2**31, "seed", "from 0 to 2147483647")
        for name in clocks:
            whole = getattr(self, name) % self.rounds_per_execution == 0
            self.demand(whole, name, f"a multiple of --rounds-per-execution {self.rounds_per_execution}")

        self.demand(self.profile >= 0, "profile", "0 or more")
        metrics = self.metrics
        self.demand(
            self.best_by in (None, *metrics), "best_by", f"one of --evaluate, {self.evaluate or 'which is empty'}"
        )
        self.demand(not (self.best_by and self.holds_out), "best_by", "left out where images are held out (--folds 0)")
        self.demand(not (self.judge and self.inception), "judge", "left out where there is --inception")

    @property
    def metrics(self):
        """Names of the metrics to take while training."""
        return [name.strip() for name in self.evaluate.split(",") if name.strip()]

    def demand(self, condition, name, accepted):
        """Raises `UsageError` naming the flag, what it accepts and what it was given, unless `condition` holds."""
        if not condition:
            raise UsageError(f"--{name.replace('_', '-')} must be {accepted}, not {getattr(self, name)}.")

    def game(self, data):
        """Returns the `Game` for `data`, a `kgen.data.Images`.

        Raises:
            UsageError: the networks cannot make images of this size.
        """
        raise NotImplementedError("A paper's recipe builds the players who play() its game.")

    def check(self, shape):
        """Raises UsageError if it can tell, without building networks, that they cannot be of this shape."""

    def divide(self, data):
        """Returns `(training images, validation images)`; the latter are None where none are held out."""
        return data, None

    def strata(self, data):
        """Returns arrays of indices, of each of which every batch has an equal part, in this order; None mixes all."""
        return None

    def to_json(self, model):
        """Returns the model's name and the fields as a JSON object, indented: what recipe.json holds."""
        return json.dumps({"model": model, **dataclasses.asdict(self)}, indent=2, default=str) + "\n"


def from_json(text, source="recipe.json"):
    """Returns `(model, recipe)` of what `to_json` wrote.

    Raises:
        UsageError: it is not such an object; `source` is named.
    """
    try:
        fields = json.loads(text)
        model = fields.pop("model")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise UsageError(f"{source} is not a recipe: {type(error).__name__}: {error}.") from None
    known = find(str(model))
    unknown = sorted(set(fields) - {field.name for field in dataclasses.fields(known)})
    if unknown:
        raise UsageError(
            f"{source} has fields that the recipe {model} of this kgen does not know: {', '.join(unknown)}."
        )
    kinds = typing.get_type_hints(type(known))
    for name, value in fields.items():
        if not fits(value, kinds[name]):
            raise UsageError(f"{source}: {name} cannot be {json.dumps(value)}.")
    return model, dataclasses.replace(known, **{name: native(value, kinds[name]) for name, value in fields.items()})


def fits(value, kind):
    """Returns whether a value read from JSON is of the kind that a recipe's field is annotated with."""
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return value in choices
    if typing.get_origin(kind) is tuple:  # tuple[X, ...], a list in JSON
        return type(value) is list and all(fits(item, choices[0]) for item in value)
    if choices:  # X | None
        return any(fits(value, choice) for choice in choices)
    return type(value) in {float: (int, float), Path: (str,)}.get(kind, (kind,))  # type(): True is no number


def native(value, kind):
    """Returns a value read from JSON, which `fits`, as a recipe's field holds it."""
    if Path in (kind, *typing.get_args(kind)) and value:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value


def all_recipes():
    """Returns `{name: recipe}` of every paper's file in `kgen/models`, sorted."""
    papers = importlib.import_module("kgen.models")  # the folder is the registry
    found = pkgutil.walk_packages(papers.__path__, f"{papers.__name__}.")
    modules = [importlib.import_module(module.name) for module in found if not module.ispkg]
    return dict(sorted(item for module in modules for item in module.RECIPES.items()))


def names():
    """Returns the names of all recipes, sorted."""
    return list(all_recipes())


def find(name):
    """Returns the recipe called `name`.

    Raises:
        UsageError: there is none; the text names the nearest and all there are.
    """
    recipes = all_recipes()
    if name not in recipes:
        near = difflib.get_close_matches(name, recipes, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no model {name!r}.{hint} There are: {', '.join(recipes)}.")
    return recipes[name]
