"""The one way to open a trained model, whether it is a run directory or an export."""

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgen.core.game import Game
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.classifier import TrainedClassifier
from kgen.inference.generator import TrainedGenerator
from kgen.runs import build, directory


class LoadedModel:
    """A trained model, with what it can do. Each part is made when it is first asked for.

    Args:
        name: of it in messages.
        signatures: names of its signatures, see `kgen.core.signatures`.
        signature: function from such a name to the signature, which is called by keyword.
        classes: names of the classes that it can be asked for, or empty.
        keep: what must live as long as the signatures do.

    Attributes:
        path: of the run directory or the export; None of a game in this process.
        recipe: what was trained; None where it is not known.
        step: of a run's checkpoint; None of an export.
        game: of a run, with averaged or best weights where they are kept; None of an export.
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
        """Whether images can be drawn from noise: whether there is a `generator`."""
        return "sample" in self.signatures and "latent" in self._signature("sample").structured_outputs

    @property
    def encodes(self) -> bool:
        """Whether there is an `autoencoder`."""
        return {"encode", "decode"} <= self.signatures

    def parts(self) -> tuple[TrainedGenerator | None, TrainedAutoencoder | None]:
        """Returns the generator and the autoencoder, None for what there is not: what metrics are taken of."""
        return self.generator if self.draws else None, self.autoencoder if self.encodes else None

    @functools.cached_property
    def generator(self) -> TrainedGenerator:
        """What images of noise are drawn from; raises UsageError where there is nothing."""
        if not self.draws:
            raise UsageError(
                f"{self.name} cannot be drawn from: it has no signature 'sample' that gives images and latents. "
                "Its model makes no images of noise."
            )
        decode = "decode" if "decode" in self.signatures else "serving_default"
        return TrainedGenerator(self._signature("sample"), self._signature(decode), self.classes, self._keep)

    @functools.cached_property
    def autoencoder(self) -> TrainedAutoencoder:
        """An encoder and its decoder; raises UsageError where there is none."""
        if not self.encodes:
            raise UsageError(f"{self.name} has no encoder and decoder: give a run or an export of an autoencoder.")
        found = {name: self._signature(name) for name in ("encode", "decode", "reconstruct")}
        return TrainedAutoencoder(found, self._keep)

    @functools.cached_property
    def classifier(self) -> TrainedClassifier:
        """A classifier of images; raises UsageError where there is none."""
        if "probabilities" not in self.signatures:
            raise UsageError(f"{self.name} is no classifier: give a run or an export of classifier.")
        return TrainedClassifier(self._signature("probabilities"), self.classes, self._keep)


def load(path: str | Path, trust: bool = False) -> LoadedModel:
    """Opens a run directory at its newest checkpoint, or an export `saved_models/<name>/<version>`.

    Args:
        path: of the run directory or the export.
        trust: whether an export may have operations that touch files, the network or Python: a SavedModel is a program.

    Raises:
        UsageError: it is neither, it is damaged, or the run has no checkpoint yet.
    """
    path = Path(path).expanduser()
    if (path / "saved_model.pb").is_file():
        return _of_export(path, trust)
    if not (path / "recipe.json").is_file():
        raise UsageError(
            f"{path} is neither a run directory (it has no recipe.json) nor an export (it has no saved_model.pb). "
            "A run lies in runs/<model>-<dataset>-<n>, an export in saved_models/<name>/<version>."
        )
    recipe = directory.read_recipe(path)
    trainer, step = build.reopen(recipe, path)
    found = of_game(trainer.best_game(), str(path))
    found.path, found.recipe, found.step = path, recipe, step
    return found


def of_game(game: Game, name: str = "This model") -> LoadedModel:
    """Returns the model of a game in this process; it holds the networks, whatever their weights become."""
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
        with contextlib.suppress(UsageError):  # of another version of kgen: the signatures are enough
            found.recipe = directory.read_recipe(path)
    return found
