"""Reads command lines: makes flags from dataclasses, one sentence of every mistake, and exit codes.

The exit codes: 0 done, 1 the system failed (a full disk), 2 a mistake that the user can correct, 3 training diverged,
130 interrupted (128 + SIGINT).
"""

import argparse
import contextlib
import dataclasses
import errno
import io
import os
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, NoReturn, TypeVar

import tyro

from kgen.core import recipe as recipes
from kgen.core.options import PATH, marked
from kgen.core.recipe import Recipe
from kgen.errors import Diverged, UsageError, again
from kgen.runs import directory

R = TypeVar("R", bound=recipes.Recipe)
LONG = 400  # characters of a word that no message repeats


@dataclass(frozen=True)
class Options(Generic[R]):
    """The flags of `kgen train`: its own, then those of a recipe."""

    recipe: Annotated[R, tyro.conf.arg(name="")]
    model: str = "dcgan"  # Which recipe to train; its numbers are the defaults of the flags below.
    resume: str | None = None  # Go on with this run directory, or with the latest.
    dry_run: tyro.conf.FlagCreatePairsOff[bool] = False  # Print the resolved recipe and stop.
    runs_dir: Path = Path("runs")  # Where run directories are made.
    exports_dir: Path = Path("saved_models")  # Where exports are written, as <model>-<dataset>/<version>.


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The flags that name a trained model."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.
    trust: bool = False  # Load an export even if it may touch files or the network: a SavedModel is a program.

    def path(self) -> Path:
        """Returns the run directory or the export; raises UsageError unless exactly one is named."""
        demand((self.run is None) != (self.saved_model is None), "Give either --run or --saved-model.")
        return directory.find(self.run, self.runs_dir) if self.run else self.saved_model


def parse_training(arguments: list[str]) -> Options:
    """Returns the `Options` of `kgen train`, whose flags include the fields of the recipe that is trained.

    The recipe is the one that --model or --resume names. Which flags there are therefore depends on these two.

    Raises:
        UsageError: an unknown model or flag, a value of a wrong type or out of range, or a change of a field that a
            resumed run cannot change.
        SystemExit: `--help` (0).
    """
    known = peek(arguments, model=None, resume=None, runs_dir="runs")
    resume = directory.find(known.resume, known.runs_dir) if known.resume else None
    base = directory.read_recipe(resume) if resume else recipes.find(known.model or "dcgan")
    model = base.name
    if known.model not in (None, model):
        raise UsageError(f"{resume} is a run of {model}, not of {known.model}: leave --model out to resume it.")
    description = (
        f"{type(base).__doc__}\n\nModels: {', '.join(recipes.names())}. The recipe's flags are those of {model}."
    )
    default = Options(base, model, known.resume)
    options = parse(Options[type(base)], arguments, default=default, description=description)
    recipe = anchored(options.recipe)
    if resume:
        recipes.refuse_changes(base, recipe, resume)
    return dataclasses.replace(options, recipe=recipe, resume=resume)


def peek(arguments: list[str], **defaults: Any) -> argparse.Namespace:
    """Returns the values of some flags as attributes, without reading any other flag.

    It reads the flags that decide which other flags there are.

    Args:
        arguments: the command line.
        defaults: the flags to read, and their values where they are not given.

    Raises:
        UsageError: one of these flags lacks its value.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, default in defaults.items():
        spellings = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))  # tyro takes underscores too
        first.add_argument(*spellings, default=default)
    try:
        return first.parse_known_args(arguments)[0]
    except argparse.ArgumentError as error:
        raise UsageError(f"{error.argument_name}: {error.message}.") from None


def parse_with_recipe(options: type, arguments: list[str], model: str) -> Any:
    """Returns a command's options, whose flags include the fields of a recipe.

    Args:
        options: a dataclass with the fields `model` and `recipe`, generic in the recipe's type as `Options` is.
        arguments: the command line.
        model: recipe to take when there is no --model.

    Returns:
        An instance of `options`.

    Raises:
        UsageError, SystemExit: as `parse_training`.
    """
    model = peek(arguments, model=model).model
    base = recipes.find(model)
    description = f"{options.__doc__}\n\nModels: {', '.join(recipes.names())}. The recipe's flags are those of {model}."
    default = options(recipe=base, model=model)
    found = parse(options[type(base)], arguments, default=default, description=description)
    return dataclasses.replace(found, recipe=anchored(found.recipe))


def anchored(recipe: Recipe) -> Recipe:
    """Returns a recipe with absolute paths, so that its run can be resumed from another folder."""
    name, _, argument = recipe.dataset.partition(":")
    folder = f"folder:{absolute(argument)}" if name == "folder" and argument else recipe.dataset
    named = [name for name in marked(recipe, PATH) if getattr(recipe, name)]
    paths = {name: absolute(getattr(recipe, name)) for name in named}
    return dataclasses.replace(recipe, dataset=folder, **paths)


def absolute(path: Path | str) -> Path:
    """Returns an absolute path; `~` is the user's home, and `~name` stays as it is if there is no such user."""
    return Path(os.path.expanduser(path)).absolute()


def parse(options: type, arguments: list[str], **how: Any) -> Any:
    """Returns an instance of the dataclass `options`, filled from the command line; `--help` exits with 0.

    Args:
        options: the dataclass; each field is a flag.
        arguments: the command line.
        how: further arguments of `tyro.cli`, such as `default` and `description`.

    Raises:
        UsageError: an unknown flag or a value of a wrong type, in the words of tyro.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(options, args=arguments, prog=program(), **how)
    except SystemExit as end:
        if end.code == 0:
            raise
    # tyro draws a frame around its message, of hyphens where the terminal has no lines: this takes the words out of it.
    words = " ".join(line.strip("│| ") for line in complaint.getvalue().splitlines()[1:-1])
    text = re.split("Argument helptext|For full helptext", words)[0]
    text = f"{text[:LONG]}..." if any(len(word) > LONG for word in arguments) else text  # tyro has broken it into words
    raise UsageError(
        " ".join(f"{part.strip('─. ')}." for part in re.split("──|-{4,}", text) if part.strip("─-. "))
        + f" See {program()} --help."
    )


def demand(condition: Any, message: str) -> None:
    """Raises `UsageError` with `message` unless `condition` holds."""
    if not condition:
        raise UsageError(message)


def run(main: Callable[[list[str]], int], arguments: list[str]) -> NoReturn:
    """Runs a command's `main(arguments)`, and exits. A mistake becomes one sentence on stderr and an exit code."""
    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        sys.exit(main(arguments))
    except UsageError as error:
        sys.exit(fail(error, 2))
    except Diverged as error:
        sys.exit(fail(error, 3))
    except OSError as error:  # which no flag can correct
        sys.exit(fail(full() if error.errno == errno.ENOSPC else error, 1))
    except KeyboardInterrupt:
        sys.exit(fail("Interrupted.", 130))
    except Exception as error:  # those of safetensors and TensorFlow are no OSError
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        sys.exit(fail(full(), 1))


def full() -> str:
    """Returns what is said of a full disk."""
    return (
        "No space is left on the device. Checkpoints and exports that were complete are still whole: make room, then "
        f"go on with {again('train', '--resume', 'latest')}, or give this command again."
    )


def fail(message: Exception | str, code: int) -> int:
    """Prints a message on stderr and returns the exit code. Of a very long word the beginning is shown."""
    text = re.sub(rf"\S{{{LONG},}}", lambda word: f"{word[0][:60]}... ({len(word[0])} characters)", str(message))
    print(f"{program()}: {text}", file=sys.stderr)
    return code


def program() -> str:
    """Returns how this command was called: `kgen train`, or `train.py` from a checkout's scripts/."""
    name = Path(sys.argv[0]).name
    return name if name.endswith(".py") else " ".join(["kgen", *sys.argv[1:2]])
