"""A game: players, and the turns they take in a step.

A paper's algorithm is a subclass that says who moves when, and by which loss. It holds no tape, no optimizer step, no
metric, no randomness: `kgen.core.trainer.Trainer` plays it. So a game reads like its paper, imports without TensorFlow,
and is free of the names that `keras.Model` keeps for itself (`loss`, `metrics`, `optimizer`, ...).
"""

import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images
from kgen.backend import Tensor
from kgen.core import requests
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.backend import keras, tf


@dataclass
class Player:
    """A network and the optimizer that moves it.

    Args:
        network: a built Keras model.
        optimizer: a Keras optimizer of its own; no two players share one.
        l2: adds `l2 * weight` to the gradient, which is PyTorch's `weight_decay` (Keras's own is decoupled).
    """

    network: Any
    optimizer: Any
    l2: float = 0.0


class Game:
    """Base of every game. `Game(generator=Player(...), ...)`: each network is then `self.generator`, ...

    Class attributes that a subclass may set:
        batches: how many fresh batches a step takes (k of Goodfellow 2014, n_critic of WGAN).
        labelled: whether batches are `(images, labels)` pairs.
        range: the values of the images that the networks see.
        reports: names that turns return besides the players', to be logged.
        exported: the players whose networks make pictures and are exported; `--ema` keeps their moving averages.
        update_rule: who decides whether a player may move in its turn, see `kgen.core.update_rules`; None lets all
            move.
        classes: names of the classes that pictures can be asked for, empty where they cannot.
        fixed_images_shape: `(count, height, width, channels)` of the images that `pictures()` needs to be shown, which
            the trainer then keeps as `self.examples`, uint8; None where pictures are made of noise.
    """

    batches = 1
    labelled = False
    range = images.SYMMETRIC
    reports = ()
    exported = ("generator",)
    update_rule = None
    classes = ()
    fixed_images_shape = None

    def __init__(self, **players: Any) -> None:
        self.players = players
        for name, player in players.items():
            setattr(self, name, player.network)
        if self.fixed_images_shape:
            self.examples = np.zeros(self.fixed_images_shape, np.uint8)

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields `(turn, batch)` for every turn of a step, in order.

        A turn is a method that takes the batch and returns `{name: scalar}`: a player's name carries the loss which
        that player minimises, names in `reports` are only logged. Players that one turn names move together, from one
        forward pass.

        Args:
            batches: list of `self.batches` batches, float32 `(batch, height, width, channels)` in `self.range`.
        """
        raise NotImplementedError("A game says in play() whose turn it is.")

    def move(self, name: str, gradients: list[Tensor]) -> None:
        """Moves one player's weights by gradients of their shapes. WGAN overrides it, to clip weights."""
        self.players[name].optimizer.apply(gradients, self.players[name].network.trainable_variables)

    def receive(self, data: Tensor | tuple[Tensor, Tensor]) -> list:
        """Returns a step's batches of `(batch, ...)`: uint8 images `(batches, batch, ...)` become floats in `range`."""
        pictures, labels = data if self.labelled else (data, None)
        batches = [images.from_bytes(pictures[i], self.range) for i in range(pictures.shape[0])]
        return [(batch, labels[i]) for i, batch in enumerate(batches)] if self.labelled else batches

    def measures(self, batch: Tensor) -> dict[str, Tensor]:
        """Returns `{name: values (batch,)}`, what a batch of `receive` is measured by, networks at inference.

        Means over images that are not trained on are logged; the least of the first one is the best epoch.
        """
        raise NotImplementedError("A game whose recipe holds images out says in measures() how it does on them.")

    def between_epochs(self, epoch: int) -> dict[str, float]:
        """Does what a paper does after epoch 1, 2, ...; returns `{name: number}` to be logged of it."""
        return {}

    def acts_between_epochs(self) -> bool:
        """Returns whether `between_epochs` does anything."""
        return type(self).between_epochs is not Game.between_epochs

    def start_from(self, other: "Game") -> None:
        """Takes the weights of another game's networks.

        Raises:
            UsageError: they do not fit.
        """
        for name in self.exported:
            copy_weights(getattr(other, name, None), getattr(self, name))

    def with_networks(self, networks: "dict[str, keras.Model]") -> "Game":
        """Returns this game with some networks replaced, `{name: network}`: for sampling from averaged weights."""
        other = copy.copy(self)
        other.__dict__.pop("served", None)  # it holds the networks of before
        for name, network in networks.items():
            setattr(other, name, network)
        return other

    def pictures(self, count: int) -> Tensor:
        """Returns images float32 `(count, height, width, channels)` in [0, 1], networks at inference.

        Where there are classes all have equal parts, in order: a sheet of ten a row then shows a class in each row.
        """
        raise NotImplementedError("A game whose play() makes images says in pictures() how to look at them.")

    @functools.cached_property
    def served(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """What `signatures()` returned. Pictures come from it too, so they are those of the export bit for bit."""
        return self.signatures()

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `(module, signatures)` for `tf.saved_model.save`, see `kgen.core.signatures`."""
        raise NotImplementedError("A game whose play() trains something of use says in signatures() how it is served.")


def copy_weights(source: "keras.Model | None", target: "keras.Model") -> None:
    """Sets the weights of a network to another's; raises UsageError if `source` is None or has other shapes."""
    mine = [tuple(weight.shape) for weight in target.weights]
    theirs = None if source is None else [tuple(weight.shape) for weight in source.weights]
    if mine != theirs:
        what = "has no such network" if source is None else "has layers of other sizes"
        raise UsageError(f"--start-from: the run {what}; {target.name} can only begin with one of its own shape.")
    target.set_weights(source.get_weights())


def sheet(classes: tuple[str, ...]) -> tuple[int, int]:
    """Returns `(count, columns)` of a picture that shows what a game makes: ten of each class, a row each, or 8 x 8."""
    if not classes:
        return 64, 8
    columns = min(10, requests.LIMIT // len(classes))
    return columns * len(classes), columns
