"""Exports: `saved_models/<name>/<version>/`, which TensorFlow Serving loads as it is.

The signatures are the game's (`kgen.core.signatures`). Beside the SavedModel are recipe.json, samples.png and a model
card, README.md. assets.extra has warm-up requests for a server. A version is written under another name and then
renamed, so that a polling server never sees an incomplete version. `models.config`, beside the models, lists them all.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from kgen import images
from kgen.backend import tf
from kgen.core.game import sheet
from kgen.errors import UsageError
from kgen.export import models_config, safety, warmup
from kgen.rng import Rng
from kgen.runs import checkpoint, directory

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe

METRICS = "metrics.jsonl"  # lines of kgen.metrics.measurement.Measurement
LABELS = "labels.txt"  # of a model with classes: one name a line, line 0 is label 0
CARD = """# {name}, version {version}

Made by kgen {kgen}: `{model}` on `{dataset}`{classes}, {steps} steps of {batch_size} images, trained in
{precision}, seed {seed}{ema}.
`recipe.json` holds every number of the run; `samples.png` shows {shown}.

{signatures}

Load it with `tf.saved_model.load`, or serve the folder above this one with TensorFlow Serving.

Intended for research and teaching. Its images resemble its training data, with that data's licence and biases; it has
not been checked for memorised images.
"""


def export(
    game: "Game",
    recipe: "Recipe",
    step: int,
    root: Path,
    name: str | None = None,
    run: Path | None = None,
    label: str | None = None,
    keep: int | None = None,
    convert: Callable | None = None,
) -> Path:
    """Writes the next version of `root/name` and returns its path.

    Args:
        game: the game to export, `Trainer.best_game()`.
        recipe: what was trained, for recipe.json and the card.
        step: steps played.
        root: the folder of all exports, usually `saved_models`.
        name: of this model in TensorFlow Serving; None gives `<model>-<dataset>`.
        run: directory of the run, whose metrics.jsonl is copied; or None.
        label: that clients may ask for instead of a version, such as `stable`; None gives none.
        keep: how many of the newest versions of this model to keep; labelled ones stay. None keeps all.
        convert: of `kgen.export.formats.FORMATS`, called with the folder and `{name: tf.function}`, to write another
            format beside the SavedModel; None writes none.
    """
    name = name or f"{recipe.name}-{recipe.dataset.partition(':')[0]}"
    if Path(name).name != name:
        raise UsageError(f"--name must be a plain name, without folders, not {name}.")
    folder = Path(root) / name
    demand_no_pattern(folder)
    directory.make_folder(folder)
    with FileLock(Path(root) / f".{name}.lock"):  # else two exporters might take the same version
        checkpoint.sweep(folder)
        aside = folder / ".partial-export"
        write(game, aside)
        signatures = game.served[1]
        count, columns = sheet(game.classes)
        with Rng(recipe.seed):
            images.save_png(aside / "samples.png", images.grid(images.to_bytes(game.pictures(count)), columns))
        directory.write_recipe(aside, recipe)
        if run and (Path(run) / METRICS).exists():
            shutil.copy(Path(run) / METRICS, aside)
        warmup.write(aside, name, signatures)
        if convert:
            converted(convert, aside, signatures)
        version = 1 + max(models_config.versions(folder), default=0)
        (aside / "README.md").write_text(card(name, version, recipe, step, shown(game, count), signatures))
        for path in (*aside.rglob("*"), aside):
            checkpoint.flush(path)
        final = aside.rename(folder / str(version))
        labels = models_config.register(root, name, version, label)
        if keep:
            models_config.prune(folder, keep, labels.values())
        return final


def write(game: "Game", path: Path | str) -> None:
    """Writes the SavedModel of a game at `path`, with the names of its classes; `export` writes a version of it."""
    demand_no_pattern(path)
    module, signatures = game.served
    tf.saved_model.save(module, str(path), signatures=signatures)
    if game.classes:
        (Path(path) / LABELS).write_text("".join(f"{name}\n" for name in game.classes))


def demand_no_pattern(path: Path | str) -> None:
    """Raises UsageError if TensorFlow reads a path as a pattern: it would write an export there but not load it."""
    if odd := pattern_in(path):
        raise UsageError(
            f"{path} cannot hold exports: TensorFlow reads {odd} in a path as a pattern. Give another --exports-dir or "
            "--name."
        )


def pattern_in(path: Path | str) -> str:
    """Returns the characters of a path that TensorFlow reads as those of a pattern, with blanks between."""
    return " ".join(sorted(set("[]*?\\") & set(os.path.abspath(os.path.expanduser(path)))))


def converted(convert: Callable, aside: Path, signatures: dict[str, Callable]) -> None:
    """Writes another format beside a SavedModel that is not yet a version. If that fails, removes both."""
    try:
        convert(aside, signatures)
    except BaseException:
        shutil.rmtree(aside)
        with suppress(OSError):  # other versions are in it
            aside.parent.rmdir()
        raise


def note(run: Path, step: int, path: Path) -> None:
    """Writes into a run directory that its step `step` was exported to `path`."""
    (Path(run) / "export.json").write_text(json.dumps({"step": step, "path": str(path.absolute())}) + "\n")


def exported(run: Path, step: int) -> Path | None:
    """Returns where step `step` of a run was exported; None if it was not, or if the export is gone."""
    try:
        noted = json.loads((Path(run) / "export.json").read_text())
        path = Path(noted["path"])
        return path if noted["step"] == step and path.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(path: Path, trust: bool = False) -> Any:
    """Returns a loaded export; raises UsageError if `path` cannot be loaded as one.

    Args:
        path: of the export, `saved_models/<name>/<version>`.
        trust: whether it may have operations that touch files, the network or Python, see `kgen.export.safety`.
    """
    if not (Path(path) / "saved_model.pb").is_file():
        raise UsageError(f"{path} is not an export: it has no saved_model.pb. Give saved_models/<name>/<version>.")
    if odd := pattern_in(path):
        raise UsageError(f"{path} cannot be loaded: TensorFlow reads {odd} in a path as a pattern. Rename its folders.")
    if not trust:
        safety.demand_harmless(path)
    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, LookupError, tf.errors.OpError) as error:  # LookupError: of cut variables
        raise UsageError(f"{path} cannot be loaded: {str(error).partition(chr(10))[0]}") from error


def read_classes(path: Path) -> tuple[str, ...]:
    """Returns the names of the classes of an exported class-conditional generator or classifier, otherwise `()`."""
    labels = Path(path) / LABELS
    return tuple(labels.read_text().split("\n")[:-1]) if labels.exists() else ()


def shown(game: "Game", count: int) -> str:
    """Returns what samples.png shows, and what latents are drawn from, as text."""
    prior = getattr(game, "prior", None)
    drawn = "" if prior is None else f". Latents are drawn from {prior}"
    if game.fixed_images_shape:
        return f"what the model makes of images that were not selected{drawn}"
    return f"{count} images of noise that was not selected{drawn}"


def card(name: str, version: int, recipe: "Recipe", step: int, shown: str, signatures: dict[str, Callable]) -> str:
    """Returns the model card, Markdown."""
    lines = [
        f"- `{key}`: {', '.join(arguments(function))} -> {', '.join(results(function))}"
        for key, function in signatures.items()
    ]
    return CARD.format(
        name=name,
        version=version,
        kgen=directory.environment()["kgen"],
        model=recipe.name,
        dataset=recipe.dataset.partition(":")[0],  # a folder's path is private
        classes=f", classes {recipe.classes}" if recipe.classes else "",
        precision=recipe.precision,
        steps=step,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        ema=f", weights averaged with decay {recipe.ema}" if recipe.ema else "",
        shown=shown,
        signatures="\n".join(lines),
    )


def arguments(function: Callable) -> list[str]:
    """Returns the inputs of a signature as text, `latent float32 (None, 100)`."""
    return [f"`{spec.name} {spec.dtype.name} {tuple(spec.shape)}`" for spec in function.input_signature]


def results(function: Callable) -> list[str]:
    """Returns the outputs of a signature as text."""
    outputs = function.get_concrete_function().structured_outputs
    return [f"`{name} {tensor.dtype.name} {tuple(tensor.shape)}`" for name, tensor in outputs.items()]
