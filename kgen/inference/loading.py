"""Opens trained models. A run directory and an export are opened in the same way."""

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgen.backend import tf
from kgen.backend.spread import on
from kgen.core.game import Game
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.classifier import TrainedClassifier
from kgen.inference.generator import TrainedGenerator
from kgen.runs import build, checkpoint, directory


class LoadedModel:
    """A trained model. It has a generator, an autoencoder or a classifier, each made when it is first asked for.

    Args:
        name: the model's name in messages.
        signatures: names of its signatures, see `kgen.core.signatures`.
        signature: function from such a name to the signature, which is called with keyword arguments.
        classes: names of the classes of a class-conditional generator or a classifier, otherwise empty.
        keep: an object that must live as long as the signatures.

    Attributes:
        path: of the run directory or the export; None for a game in this process.
        recipe: the recipe that was trained; None if it is not known.
        step: the step of a run's checkpoint; None for an export.
        game: the game of a run, with averaged or best weights if they are kept; None for an export.
    """

    def __init__(
        self, name: str, signatures: set[str], signature: Callable, classes: tuple[str, ...] = (), keep: Any = None
    ) -> None:
        self.name, self.signatures, self.classes = name, signatures, tuple(classes)
        self._signature, self._keep = signature, keep
        self.path: Path | None = None
        self.recipe: Recipe | None = None
        self.step: int | None = None
        self.game: Game | None = None

    @property
    def draws(self) -> bool:
        """Whether it has a `generator`, which draws images from noise."""
        return "sample" in self.signatures and "latent" in self._signature("sample").structured_outputs

    @property
    def encodes(self) -> bool:
        """Whether it has an `autoencoder`."""
        return {"encode", "decode"} <= self.signatures

    def parts(self) -> tuple[TrainedGenerator | None, TrainedAutoencoder | None]:
        """Returns the generator and the autoencoder, for metrics; None for what the model does not have."""
        return self.generator if self.draws else None, self.autoencoder if self.encodes else None

    @functools.cached_property
    def generator(self) -> TrainedGenerator:
        """A generator, which draws images from noise; raises UsageError if there is none."""
        if not self.draws:
            raise UsageError(
                f"{self.name} cannot be drawn from: it has no signature 'sample' that gives images and latents. "
                "Its model makes no images of noise."
            )
        decode = "decode" if "decode" in self.signatures else "serving_default"
        return TrainedGenerator(self._signature("sample"), self._signature(decode), self.classes, self._keep)

    @functools.cached_property
    def autoencoder(self) -> TrainedAutoencoder:
        """An encoder and its decoder; raises UsageError if there is none."""
        if not self.encodes:
            raise UsageError(f"{self.name} has no encoder and decoder: give a run or an export of an autoencoder.")
        found = {name: self._signature(name) for name in ("encode", "decode", "reconstruct")}
        return TrainedAutoencoder(found, self._keep)

    @functools.cached_property
    def classifier(self) -> TrainedClassifier:
        """A classifier of images; raises UsageError if there is none."""
        if "probabilities" not in self.signatures:
            raise UsageError(f"{self.name} is no classifier: give a run or an export of classifier.")
        return TrainedClassifier(self._signature("probabilities"), self.classes, self._keep)


def load(path: str | Path, trust: bool = False) -> LoadedModel:
    """Opens a run directory at its newest checkpoint, one checkpoint of a run, or an export.

    Args:
        path: of the run directory, of the checkpoint `<run>/checkpoints/<step>`, or of the export
            `saved_models/<name>/<version>`.
        trust: whether an export may have operations that touch files, the network or Python. A SavedModel is a program.

    Raises:
        UsageError: the path is neither, the export is damaged, or the run has no checkpoint yet.
    """
    path = Path(os.path.expanduser(path))
    if (path / "saved_model.pb").is_file():
        return _of_export(path, trust)
    one = path if (path / checkpoint.MANIFEST).is_file() else None
    run = path.absolute().parents[1] if one else path
    if not (run / "recipe.json").is_file():
        raise UsageError(
            f"{path} is neither a run directory (it has no recipe.json) nor an export (it has no saved_model.pb). "
            "A run lies in runs/<model>-<dataset>-<n>, an export in saved_models/<name>/<version>."
        )
    recipe = directory.read_recipe(run)
    trainer, step = build.reopen(recipe, run, one)
    found = of_game(trainer.best_game(), str(path))
    found.path, found.recipe, found.step = path, recipe, step
    return found


def load_on(path: str | Path, trust: bool, others: list[str]) -> LoadedModel:
    """Opens what `load` opens, on the first device and on others; `generator.stream` then draws on all of them at once.

    Args:
        path, trust: as in `load`.
        others: names of devices, such as `GPU:1`.
    """
    found = load(path, trust)
    for device in others if found.draws else ():
        with tf.device(device):
            found.generator.others.append(on(device, load(path, trust).generator.part))
    return found


def of_game(game: Game, name: str = "This model") -> LoadedModel:
    """Returns the model of a game in this process. They share networks, so the model follows changes of the weights."""
    module, signatures = game.served
    found = LoadedModel(
        name, set(signatures), lambda each: getattr(module, each).get_concrete_function(), game.classes, module
    )
    found.game = game
    return found


def _of_export(path: Path, trust: bool) -> LoadedModel:
    loaded = saved_model.load(path, trust)
    found = LoadedModel(
        str(path), set(loaded.signatures), lambda each: loaded.signatures[each], saved_model.read_classes(path), loaded
    )
    found.path = path
    if (path / "recipe.json").is_file():
        with contextlib.suppress(UsageError):  # another version of kgen wrote it; the signatures are enough
            found.recipe = directory.read_recipe(path)
    return found
