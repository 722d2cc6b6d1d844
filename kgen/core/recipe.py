"""Recipes: the numbers of a published run. Each field is a flag of the command line. Its JSON reproduces the run."""

import dataclasses
import difflib
import importlib
import json
import math
import pkgutil
import typing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kgen.core.options import MAY_CHANGE, NOT_SEARCHED, PATH, RunOptions, marked
from kgen.data.splits import split, without
from kgen.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from kgen.core.game import Game
    from kgen.data import Images


MOST_HELD_OUT = 2_000  # images for --evaluate


@dataclass(frozen=True, kw_only=True)
class Recipe(RunOptions):
    """The numbers of a run, and its options. A paper's file adds its own numbers and `game()`."""

    name: Annotated[tyro.conf.Suppress[str], NOT_SEARCHED] = ""  # Set by the registry; empty in the papers' files.
    steps: Annotated[int, MAY_CHANGE] = 2_000  # Training steps.
    batch_size: int = 64  # Images in a batch.
    seed: int = 0  # Determines the initial weights, the order of the images and all noise.
    ema: float = 0.0  # Decay of the generator's moving average, such as 0.999, which is then sampled and exported.
    start_from: Annotated[Path | None, NOT_SEARCHED, PATH] = None  # Run whose networks to begin with; do not delete it.

    # Flags of some recipes only, see kgen.core.held_out.
    holds_out, patience = False, 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in vars(self).items():
            self.demand(not isinstance(value, float) or math.isfinite(value), name, "a finite number")
        for name in ("steps", "batch_size"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand_whole_executions("steps")
        self.demand(0.0 <= self.ema < 1.0, "ema", "at least 0 and below 1")
        self.demand(0 <= self.seed < 2**31, "seed", "from 0 to 2147483647")
        self.demand(not (self.best_by and self.holds_out), "best_by", "left out where images are held out (--folds 0)")

    def game(self, data: "Images") -> "Game":
        """Returns the `Game` for `data`, a `kgen.data.Images`.

        Raises:
            UsageError: the networks cannot make images of this size.
        """
        raise NotImplementedError("A paper's recipe builds the players who play() its game.")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if it is known, before networks are built, that they cannot have images of this shape."""

    @property
    def measures_held_out(self) -> bool:
        """Whether images are held out for `--evaluate`, since neither `--evaluate-on` nor a fold gives it others."""
        return bool(self.metrics) and self.evaluate_on is None and not self.holds_out

    def divide(self, data: "Images") -> "tuple[Images, Images | None]":
        """Returns the training images, and those held out for `--evaluate` (a tenth, at most 2,000) or None."""
        if not self.measures_held_out:
            return data, None
        parts = max(10, math.ceil(len(data.images) / MOST_HELD_OUT))
        return without(data, split(len(data.images), parts, self.seed), 0)

    def strata(self, data: "Images") -> "list[np.ndarray] | None":
        """Returns groups of image indices `(n,)`; each batch has equal parts of all, in this order. None: one group."""
        return None

    def to_json(self) -> str:
        """Returns the model's name and the fields as a JSON object, indented: what recipe.json holds."""
        fields = dataclasses.asdict(self)
        return json.dumps({"model": fields.pop("name"), **fields}, indent=2, default=str) + "\n"


def fixed(recipe: Recipe) -> dict[str, Any]:
    """Returns the fields that a checkpoint depends on, as JSON has them: all but the data, the device and the clocks.

    The images are compared by their digest.
    """
    others = {*marked(recipe, MAY_CHANGE), "model", "dataset", "start_from", "precision", "jit", "steps_per_execution"}
    return {name: value for name, value in json.loads(recipe.to_json()).items() if name not in others}


def compared(recipe: Recipe) -> dict[str, Any]:
    """Returns the fields that a reader compares between runs, as JSON has them: no intervals, places or devices."""
    whole = json.loads(recipe.to_json())
    names = ("model", "dataset", "steps", *fixed(recipe))
    return {name: whole[name] for name in names if name != "patience"}


def from_json(text: str, source: Path | str = "recipe.json") -> Recipe:
    """Returns the recipe that `to_json` wrote.

    Raises:
        UsageError: the text is not such an object. The error names `source`.
    """
    try:
        fields = json.loads(text)
        model = fields.pop("model")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise UsageError(f"{source} is not a recipe: {type(error).__name__}: {error}.") from None
    known = find(str(model))
    unknown = sorted(set(fields) - {field.name for field in dataclasses.fields(known)} | {"name"} & set(fields))
    if unknown:
        raise UsageError(
            f"{source} has fields that the recipe {model} of this kgen does not know: {', '.join(unknown)}. "
            "Another version of kgen wrote it, or another program."
        )
    kinds = typing.get_type_hints(type(known))
    for name, value in fields.items():
        if not fits(value, kinds[name]):
            raise UsageError(f"{source}: {name} cannot be {json.dumps(value)}.")
    return dataclasses.replace(known, **{name: native(value, kinds[name]) for name, value in fields.items()})


def fits(value: Any, kind: Any) -> bool:
    """Returns whether a value read from JSON has the type `kind`, the annotation of a recipe's field."""
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return value in choices
    if typing.get_origin(kind) is tuple:  # tuple[X, ...], a list in JSON
        return type(value) is list and all(fits(item, choices[0]) for item in value)
    if choices:  # X | None
        return any(fits(value, choice) for choice in choices)
    return type(value) in {float: (int, float), Path: (str,)}.get(kind, (kind,))  # isinstance takes True for a number


def native(value: Any, kind: Any) -> Any:
    """Returns a value read from JSON that `fits`, converted to the type of a recipe's field."""
    if Path in (kind, *typing.get_args(kind)) and value:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value


def papers() -> list[ModuleType]:
    """Returns every paper's file in `kgen/models` that has recipes, as modules, sorted by their names."""
    folder = importlib.import_module("kgen.models")  # the folder is the registry
    found = pkgutil.walk_packages(folder.__path__, f"{folder.__name__}.")
    modules = [importlib.import_module(module.name) for module in found if not module.ispkg]
    return [module for module in modules if hasattr(module, "RECIPES")]


def all_recipes() -> dict[str, Recipe]:
    """Returns `{name: recipe}` of every paper's file, sorted."""
    found = [item for paper in papers() for item in paper.RECIPES.items()]
    return {name: dataclasses.replace(recipe, name=name) for name, recipe in sorted(found, key=lambda item: item[0])}


def names() -> list[str]:
    """Returns the names of all recipes, sorted."""
    return list(all_recipes())


def find(name: str) -> Recipe:
    """Returns the recipe called `name`.

    Raises:
        UsageError: there is no such recipe. The text names the nearest name and all recipes.
    """
    recipes = all_recipes()
    if name not in recipes:
        near = difflib.get_close_matches(name, recipes, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no model {name!r}.{hint} There are: {', '.join(recipes)}.")
    return recipes[name]


def changed(recipe: Recipe, fields: dict[str, Any]) -> Recipe:
    """Returns a recipe with other values; raises UsageError for a field that it does not have."""
    known = [field.name for field in dataclasses.fields(recipe)]
    odd = [name for name in fields if name not in known]
    if odd:
        near = difflib.get_close_matches(odd[0], known, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" It has {', '.join(known)}."
        raise UsageError(f"The recipe {recipe.name} has no number {odd[0]!r}.{hint}")
    return dataclasses.replace(recipe, **fields)


def refuse_changes(base: Recipe, changed: Recipe, run: Path) -> None:
    """Raises UsageError if a resumed run changes a field that is not marked `MAY_CHANGE`."""
    names = [f.name for f in dataclasses.fields(base) if getattr(base, f.name) != getattr(changed, f.name)]
    # A folder may have moved. Whether its images are the same is checked later.
    moved = base.dataset.startswith("folder:") and changed.dataset.startswith("folder:")
    refused = [name for name in names if name not in marked(base, MAY_CHANGE) and not (name == "dataset" and moved)]
    if base.measures_held_out != changed.measures_held_out:
        raise UsageError(
            f"{run} {'holds out' if base.measures_held_out else 'trains on'} the images that --evaluate would compare "
            "with by default, and this cannot change in a resumed run: name a split with --evaluate-on, or start a new "
            "run."
        )
    if refused:
        flag = refused[0].replace("_", "-")
        raise UsageError(
            f"--{flag} of {run} is {getattr(base, refused[0])} and cannot change in a resumed run: start a new one."
        )
