"""Spaces of a hyper-parameter search: `FIELD=LOW..HIGH`, `FIELD=LOW..HIGH:log`, `FIELD=a,b,c`, or a recipe's own."""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kgen.core.options import NOT_SEARCHED, marked
from kgen.errors import UsageError

if TYPE_CHECKING:
    import optuna

    from kgen.core.recipe import Recipe

GRAMMAR = "write FIELD=LOW..HIGH, FIELD=LOW..HIGH:log or FIELD=a,b,c"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included. If both are integers, so are all. `log` draws the logarithm."""

    field: str
    low: float
    high: float
    log: bool = False

    def suggest(self, trial: "optuna.Trial") -> float:
        """Returns the value that an Optuna trial tries."""
        ask = trial.suggest_int if type(self.low) is int else trial.suggest_float
        return ask(self.field, self.low, self.high, log=self.log)

    def ends(self) -> tuple[float | int, ...]:
        """Returns both ends, which the recipe must accept."""
        return self.low, self.high


@dataclass(frozen=True)
class Choice:
    """A few values. `names` are what Optuna stores for them: numbers, strings, booleans or None."""

    field: str
    names: tuple
    values: tuple

    def suggest(self, trial: "optuna.Trial") -> Any:
        """Returns the value that an Optuna trial tries."""
        return self.values[self.names.index(trial.suggest_categorical(self.field, self.names))]

    def ends(self) -> tuple:
        """Returns the values that the recipe must accept."""
        return self.values


def parse(texts: Sequence[str], recipe: "Recipe") -> tuple[Range | Choice, ...]:
    """Returns the `Range` or `Choice` of each `--vary`.

    Args:
        texts: such as `learning_rate=1e-4..1e-2:log` or `units=64,128+64`; `+` joins the numbers of a tuple.
        recipe: the recipe whose fields are searched. Its other fields keep their values.

    Raises:
        UsageError: a text cannot be read, a field is unknown or given twice, or the recipe refuses an end or a choice.
    """
    axes = [_axis(text, recipe) for text in texts]
    fields = [axis.field for axis in axes]
    twice = [field for field in fields if fields.count(field) > 1]
    if twice:
        raise UsageError(f"--vary {twice[0]} is given twice: give each field once.")
    for text, axis in zip(texts, axes, strict=True):
        for end in axis.ends():
            try:
                dataclasses.replace(recipe, **{axis.field: end})
            except UsageError as error:
                raise UsageError(f"--vary {text}: {error}") from None
    return tuple(axes)


def suggest(axes: Sequence["Range | Choice"], recipe: "Recipe", trial: "optuna.Trial") -> dict[str, Any]:
    """Returns `{field: value}` that an Optuna trial tries, from the axes or, without axes, the recipe's own space."""
    return {axis.field: axis.suggest(trial) for axis in axes} if axes else recipe.suggest(trial)


def demand_own(recipe: "Recipe", published: "Recipe") -> None:
    """Raises UsageError unless the recipe has its own search space and no flag changed a field of this space.

    Args:
        published: the recipe without changes by flags.
    """
    if not hasattr(recipe, "suggest"):
        raise UsageError(f"The recipe {recipe.name} has no space of its own: name what to search with --vary.")
    from optuna import create_study, logging, samplers

    logging.set_verbosity(logging.WARNING)
    fields = recipe.suggest(create_study(sampler=samplers.RandomSampler(0)).ask())
    fixed = [field for field in fields if getattr(recipe, field) != getattr(published, field)]
    if fixed:
        flag = fixed[0].replace("_", "-")
        raise UsageError(
            f"--{flag} is searched by {recipe.name}'s own space: leave it out, or name with --vary what to search."
        )


def _axis(text: str, recipe: "Recipe") -> Choice | Range:
    field, sign, values = (part.strip() for part in text.partition("="))
    field = field.removeprefix("--").replace("-", "_")
    if not sign or not field or not values:
        raise UsageError(f"--vary {text} cannot be read: {GRAMMAR}.")
    kinds = _kinds(field, recipe)
    bounds, _, scale = (part.strip() for part in values.partition(":"))
    if ".." in bounds and kinds[0] in (int, float):
        return _range(text, field, bounds, scale, kinds[0])
    names, read = [], []
    for value in (value.strip() for value in values.split(",")):
        try:
            read.append(_read(value, kinds))
        except ValueError as error:
            raise UsageError(f"--vary {text}: {value!r} is {error}; {GRAMMAR}.") from None
        plain = read[-1] is None or type(read[-1]) in (bool, int, float, str)
        names.append(read[-1] if plain else value)
    if len(set(read)) < max(len(read), 2):
        raise UsageError(f"--vary {text}: give two or more values that differ.")
    return Choice(field, tuple(names), tuple(read))


def _kinds(field: str, recipe: "Recipe") -> tuple[Any | type, ...]:
    """Returns the types in the annotation of a field: `(X,)`, or `(X, NoneType)` for `X | None`."""
    annotations = typing.get_type_hints(type(recipe))
    fields = [known.name for known in dataclasses.fields(recipe)]
    if field in marked(recipe, NOT_SEARCHED):
        raise UsageError(f"--vary {field}: this field is not searched, since losses would not compare or not change.")
    if field not in fields:
        near = difflib.get_close_matches(field, fields, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"--vary {field}: the recipe has no such field.{hint} There are: {', '.join(fields)}.")
    kind = annotations[field]
    return typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)


def _range(text: str, field: str, bounds: str, scale: str, kind: type) -> Range:
    try:
        low, high = (_read(end.strip(), (kind,)) for end in bounds.split(".."))
    except ValueError:
        wanted = "whole numbers" if kind is int else "numbers"
        raise UsageError(f"--vary {text}: both ends must be {wanted}; {GRAMMAR}.") from None
    if scale not in ("", "log"):
        raise UsageError(f"--vary {text}: after the colon only log is accepted, not {scale!r}.")
    if not low < high:
        raise UsageError(f"--vary {text}: the low end must be below the high one.")
    if scale and low <= 0:
        raise UsageError(f"--vary {text}: a logarithm needs a low end above 0.")
    return Range(field, low, high, bool(scale))


def _read(text: str, kinds: tuple[Any | type, ...]) -> Any:
    """Returns a text as a value of one of a field's types; raises ValueError that says what it is not."""
    kind = kinds[0]
    if len(kinds) > 1 and text.lower() == "none":
        return None
    if typing.get_origin(kind) is tuple:
        return tuple(_read(part, typing.get_args(kind)[:1]) for part in text.split("+"))
    if typing.get_origin(kind) is Literal:
        return _chosen(text, {str(choice): choice for choice in typing.get_args(kind)})
    if kind is bool:
        return _chosen(text.lower(), {"true": True, "false": False})
    if kind is int:
        return _number(int, text, "no whole number")
    if kind is float:
        return _number(float, text, "no number")
    return Path(text) if kind is Path else text


def _number(kind: type, text: str, complaint: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(complaint)
    return value


def _chosen(text: str, choices: dict[str, Any]) -> bool | str:
    if text not in choices:
        raise ValueError(f"none of {', '.join(choices)}")
    return choices[text]
