"""Saves and restores checkpoints that are complete, atomic and exact.

`checkpoints/000500/` holds `state.safetensors` (every network with its statistics, every optimizer, moving averages,
what the game keeps, the means that are not yet logged, the number of steps) and `manifest.json` (its SHA-256, step,
version). The order of the batches and all noise are functions of (seed, step) and need no state. A checkpoint is
written under another name, flushed to the disk and renamed. One that has its final name is therefore complete; it is
verified all the same before it is read.
"""

import json
import os
import re
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import kgen
from kgen.data.archives import sha256
from kgen.errors import Diverged, UsageError, demand_file

if TYPE_CHECKING:
    from kgen.backend import keras
    from kgen.core.base_trainer import BaseTrainer

STATE, MANIFEST = "state.safetensors", "manifest.json"
# What reading a damaged checkpoint raises.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError)


def variables(trainer: "BaseTrainer") -> "dict[str, keras.Variable]":
    """Returns `{key: variable}` of everything that a trainer needs to go on, with the same keys in every process.

    Keras numbers layers, and the slots of their optimizers, by how many layers the process has made. Keys therefore
    count within a group, such as one network, and keep only the last word of a variable's name.
    """
    groups = {}
    for name, player in trainer.game.players.items():
        groups[name] = player.network.variables
        groups[f"{name}_optimizer"] = player.optimizer.variables
    for name, average in trainer.averages.items():
        groups[f"{name}_average"] = average.variables
    for name, best in trainer.best.items():
        groups[f"{name}_best"] = best.variables
    for name, layer in trainer.game.kept.items():
        groups[name] = layer.variables
    own = ("step", "steps_summed", "sums", "first_fault", "memory", "rate_factor")
    groups["trainer"] = [getattr(trainer, name) for name in own]
    groups["best"] = [trainer.best_loss, trainer.best_step, trainer.wait] if trainer.best else []
    groups["shown"] = [trainer.examples] if trainer.game.fixed_images_shape else []
    return {
        f"{group}/{i:03d}.{variable.name.rpartition('_')[2]}": variable
        for group, members in groups.items()
        for i, variable in enumerate(members)
    }


def save(trainer: "BaseTrainer", folder: Path, step: int, keep: int = 3) -> Path:
    """Writes the checkpoint `folder/<step>/` unless it is there undamaged, and removes the oldest ones.

    Args:
        trainer: what to save.
        folder: of the run's checkpoints.
        step: number of steps that the trainer has played.
        keep: how many checkpoints to keep, the newest ones.

    Returns:
        The path of the checkpoint.

    Raises:
        Diverged: a variable is NaN or infinite; nothing is written or removed.
    """
    folder = Path(folder)
    final = folder / f"{step:06d}"
    sweep(folder)
    if not whole(final):
        state = {key: np.asarray(variable.numpy()) for key, variable in variables(trainer).items()}
        odd = [key for key, array in state.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
        if odd:  # a finite loss can have an infinite gradient, which StopOnNaN sees only a step later
            raise Diverged(
                f"{odd[0]} is not finite after step {step}, which is not saved. Try a smaller --learning-rate."
            )
        remove(final)
        aside = folder / f".partial-{step:06d}"
        aside.mkdir(parents=True)
        save_file(state, aside / STATE)
        manifest = {"step": step, "sha256": sha256(aside / STATE), "kgen": kgen.__version__}
        manifest["numbers"] = json.loads(trainer.numbers)
        (aside / MANIFEST).write_text(json.dumps(manifest) + "\n")
        for path in (aside / STATE, aside / MANIFEST, aside):
            flush(path)
        os.rename(aside, final)
        flush(folder)
    for old in [found for found in steps(folder) if found <= step][:-keep]:  # later ones are damaged and do not count
        remove(folder / f"{old:06d}")
    return final


def sweep(folder: Path) -> None:
    """Removes what killed processes left half-written or half-removed; the caller must hold the run's lock."""
    for left in Path(folder).glob(".partial-*"):
        delete(left)


def remove(path: Path) -> None:
    """Removes a checkpoint if it is there. It is renamed first, so that no reader sees a part of it."""
    if path.exists():
        doomed = path.with_name(f".partial-{path.name}")
        os.rename(path, doomed)
        delete(doomed)


def delete(path: Path) -> None:
    """Deletes a folder with all it holds, or a file that somebody put in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def whole(path: Path) -> bool:
    """Returns whether there is an undamaged checkpoint at `path`."""
    try:
        read(path)
    except _DAMAGE:
        return False
    return True


def steps(folder: Path) -> list[int]:
    """Returns the steps of the checkpoints in `folder`, ascending."""
    names = [path.name for path in Path(folder).iterdir()] if Path(folder).is_dir() else []
    return sorted(int(name) for name in names if re.fullmatch("[0-9]{6,18}", name))


def restore(trainer: "BaseTrainer", folder: Path) -> int:
    """Sets the trainer to the newest undamaged checkpoint.

    It warns of each damaged checkpoint and takes the one before. Only a failing disk damages one; an interrupted write
    does not.

    Args:
        trainer: what to set.
        folder: of the run's checkpoints.

    Returns:
        The step of the checkpoint, or 0 if there is none.

    Raises:
        UsageError: all checkpoints are damaged, or the checkpoint is of a different recipe.
    """
    found = steps(folder)
    for step in reversed(found):
        try:
            state = read(Path(folder) / f"{step:06d}")
        except _DAMAGE as error:
            warnings.warn(
                f"The checkpoint of step {step} is damaged ({error}); taking the one before it.", stacklevel=2
            )
            continue
        demand_same_numbers(trainer.numbers, Path(folder) / f"{step:06d}")
        assign(trainer, state, f"{folder}/{step:06d}")
        return step
    if found != steps(folder):  # a run that still trains has replaced them meanwhile
        return restore(trainer, folder)
    if found:
        raise UsageError(f"Every checkpoint in {folder} is damaged. Start a new run.")
    return 0


def restore_one(trainer: "BaseTrainer", path: Path) -> int:
    """Sets the trainer to the checkpoint at `path`, and returns its step.

    Raises:
        UsageError: the checkpoint is damaged, or of a different recipe.
    """
    try:
        state = read(path)
    except _DAMAGE as error:
        raise UsageError(f"The checkpoint {path} is damaged ({error}): take another one.") from None
    demand_same_numbers(trainer.numbers, path)
    assign(trainer, state, f"{path}")
    return int(path.name)


def demand_numbers_of(folder: Path, numbers: str) -> None:
    """Raises UsageError if the newest undamaged checkpoint in `folder` has others than `numbers`, JSON."""
    newest = next(filter(whole, (Path(folder) / f"{step:06d}" for step in reversed(steps(folder)))), None)
    if newest:
        demand_same_numbers(numbers, newest)


def demand_same_numbers(numbers: str, path: Path) -> None:
    """Raises UsageError if a checkpoint was saved with other numbers than those of a recipe, JSON."""
    saved, mine = json.loads((path / MANIFEST).read_text()).get("numbers", {}), json.loads(numbers)
    odd = [name for name, value in mine.items() if name in saved and saved[name] != value]
    if odd:
        raise UsageError(
            f"{path} was saved with {odd[0]} {saved[odd[0]]}, and the recipe has {mine[odd[0]]}: it is of another run, "
            "or recipe.json was edited. Give the recipe its number back, or start a new run."
        )


def read(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of a checkpoint, `{key: array}`; raises ValueError unless it fits its manifest."""
    demand_file(path / MANIFEST)
    manifest = json.loads((path / MANIFEST).read_text())
    if not isinstance(manifest.get("numbers", {}), dict):
        raise ValueError("the numbers in its manifest are none")
    if manifest["step"] != int(path.name):
        raise ValueError(f"it was saved at step {manifest['step']}")
    if sha256(path / STATE) != manifest["sha256"]:
        raise ValueError("its SHA-256 is not the manifest's")
    return load_file(path / STATE)


def assign(trainer: "BaseTrainer", state: dict[str, np.ndarray], source: str) -> None:
    """Sets every variable of the trainer.

    Args:
        trainer: what to set.
        state: `{key: array}`, as from `read`.
        source: where the state is from, for the message.

    Raises:
        UsageError: names, shapes or types of the trainer's variables differ from those of `state`.
    """
    targets = variables(trainer)
    mine = {key: (tuple(v.shape), str(v.dtype)) for key, v in targets.items()}
    theirs = {key: (array.shape, str(array.dtype)) for key, array in state.items()}
    if mine != theirs:
        odd = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        raise UsageError(
            f"{source} is of another recipe: {odd[0]} is {theirs.get(odd[0])} there, {mine.get(odd[0])} here."
        )
    for key, variable in targets.items():
        variable.assign(state[key])


def flush(path: Path) -> None:
    """Waits until a file or a folder has been written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
