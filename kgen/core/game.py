"""A game: players, and the turns they take in a step.

A paper's algorithm is a subclass that says which player moves when, and by which loss. It has no tape, no optimizer
step, no metric and no randomness: these are in `kgen.core.base_trainer`, which plays the game. So a game reads like its
paper and imports without TensorFlow. It may also use names that `keras.Model` reserves, such as `loss`, `metrics` and
`optimizer`.
"""

import copy
import dataclasses
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
        optimizer: a Keras optimizer. Each player has its own.
        l2: adds `l2 * weight` to the gradient, as PyTorch's `weight_decay` does. (Keras's weight decay is decoupled.)
    """

    network: Any
    optimizer: Any
    l2: float = 0.0


class Game:
    """Base of every game. In `Game(generator=Player(...))` the network of that player is `self.generator`.

    Class attributes that a subclass may set:
        batches: how many fresh batches a step takes (k of Goodfellow 2014, n_critic of WGAN).
        labelled: whether batches are `(images, labels)` pairs.
        range: the values of the images that the networks see.
        reports: names of values that turns return to be logged, besides the players' losses.
        exported: the players whose networks make pictures and are exported; `--ema` keeps their moving averages.
        update_rule: decides whether a player may move in its turn, see `kgen.core.update_rules`; None lets all move.
        classes: names of the classes of a class-conditional generator or a classifier, otherwise empty.
        kept: `{name: layer}`, layers of no network whose variables a run must remember, such as averages of a penalty.
        fixed_images_shape: `(count, height, width, channels)` of the images that `pictures()` starts from. The trainer
            keeps them as `self.examples`, uint8. None if pictures are made from noise.
    """

    batches = 1
    labelled = False
    range = images.SYMMETRIC
    reports = ()
    exported = ("generator",)
    update_rule = None
    classes = ()
    kept = {}
    fixed_images_shape = None

    def __init__(self, **players: Any) -> None:
        self.players = players
        for name, player in players.items():
            setattr(self, name, player.network)
        if self.fixed_images_shape:
            self.examples = np.zeros(self.fixed_images_shape, np.uint8)

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields `(turn, batch)` for every turn of a step, in order.

        A turn is a method that takes the batch and returns `{name: scalar}`. Under a player's name is the loss that
        this player minimises. Names in `reports` are only logged. If a turn names several players, they move together,
        from one forward pass.

        Args:
            batches: list of `self.batches` batches, float32 `(batch, height, width, channels)` in `self.range`.
        """
        raise NotImplementedError("A game says in play() whose turn it is.")

    def move(self, name: str, gradients: list[Tensor]) -> None:
        """Updates one player's weights by gradients of the same shapes. WGAN overrides it, to clip weights."""
        self.players[name].optimizer.apply(gradients, self.players[name].network.trainable_variables)

    def receive(self, data: Tensor | tuple[Tensor, Tensor]) -> list:
        """Returns a step's batches, float32 `(batch, ...)` in `range`.

        Args:
            data: images `(batches, batch, ...)`, uint8 or floating point in `range`; with labels if `labelled`.
        """
        pictures, labels = data if self.labelled else (data, None)
        batches = [images.to_range(pictures[i], self.range) for i in range(pictures.shape[0])]
        return [(batch, labels[i]) for i, batch in enumerate(batches)] if self.labelled else batches

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the images in `range` that the exported networks make of their inputs; networks run at inference."""
        raise NotImplementedError("A game whose networks can be called says in call() what they make of their inputs.")

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """The shape of an image, `(height, width, channels)`; None if the game does not know it."""
        return self.fixed_images_shape and self.fixed_images_shape[1:]

    def take_networks(self, networks: "dict[str, keras.Model]") -> None:
        """Gives players other networks, `{player: network}`, before a trainer is made; optimizers stay."""
        for name, network in networks.items():
            self.players[name] = dataclasses.replace(self.players[name], network=network)
            setattr(self, name, network)

    def measures(self, batch: Tensor) -> dict[str, Tensor]:
        """Returns the measures of a batch of `receive`, `{name: values (batch,)}`; networks run at inference.

        Their means over the validation images are logged. The epoch with the least first measure is the best.
        """
        raise NotImplementedError("A game whose recipe holds images out says in measures() how it does on them.")

    def between_epochs(self, epoch: int) -> dict[str, float]:
        """Does what a paper does after an epoch, counted from 1; returns `{name: number}` to be logged."""
        return {}

    def acts_between_epochs(self) -> bool:
        """Returns whether `between_epochs` does anything."""
        return type(self).between_epochs is not Game.between_epochs

    def start_from(self, other: "Game") -> None:
        """Takes the weights of another game's networks: of what is exported, and of the other players that both have.

        Raises:
            UsageError: they do not fit.
        """
        for name in self.exported:
            copy_weights(getattr(other, name, None), getattr(self, name))
        for name in self.players.keys() & other.players.keys() - set(self.exported):
            copy_weights(other.players[name].network, self.players[name].network)

    def with_networks(self, networks: "dict[str, keras.Model]") -> "Game":
        """Returns a copy of this game with other networks, `{name: network}`, such as averaged ones."""
        other = copy.copy(self)
        other.__dict__.pop("served", None)  # it holds the old networks
        for name, network in networks.items():
            setattr(other, name, network)
        return other

    def pictures(self, count: int) -> Tensor:
        """Returns images float32 `(count, height, width, channels)` in [0, 1]; networks run at inference.

        With classes, each class has an equal part, in the order of the classes: on a sheet of ten images a row, each
        row then shows one class.
        """
        raise NotImplementedError("A game whose play() makes images says in pictures() how to look at them.")

    @functools.cached_property
    def served(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """What `signatures()` returned. Pictures are made with it too, so the export makes the same bit for bit."""
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
    """Returns `(count, columns)` of a game's picture: a row of ten images for each class, or 8 x 8 without classes."""
    if not classes:
        return 64, 8
    columns = min(10, requests.LIMIT // len(classes))
    return columns * len(classes), columns
