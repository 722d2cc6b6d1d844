"""The user's own networks in the place of a recipe's."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import keras
from kgen.core import autoencoding
from kgen.data import Images
from kgen.errors import UsageError
from kgen.images import SYMMETRIC, UNIT
from kgen.training.model.players import player

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe

SIZES = (28, 32, 64)  # of images that the networks of all recipes are made for
PARTS = ("encoder", "decoder")  # of the player autoencoder
MAKERS = ("generator", "decoder", "autoencoder")  # whose outputs are images
CODED = {("generator", "input"), ("decoder", "input"), ("encoder", "output")}
PROBED = 16  # random inputs that show the range of a network's outputs


def shape_of(networks: dict[str, Any]) -> tuple[int, ...] | None:
    """Returns the shape of images that the user's networks make or take, `(height, width, channels)`; None if unknown.

    Args:
        networks: `{player or part: built network}`.
    """
    for name, network in networks.items():
        side = network.output_shape if name in MAKERS else network.input_shape
        shape = first(side)[1:]
        if len(shape) == 3:
            return tuple(shape)
    return None


def code_of(networks: dict[str, Any]) -> int | None:
    """Returns the size of the latents or codes of the user's networks; None if none of them tells it."""
    for name, network in networks.items():
        if name in ("generator", "decoder"):
            return first(network.input_shape)[-1]
        if name == "encoder":
            return first(network.output_shape)[-1]
    return None


def first(shapes: Any) -> tuple:
    """Returns the first shape of a network's inputs or outputs."""
    return tuple(shapes[0]) if isinstance(shapes, list) or isinstance(shapes[0], (tuple, list)) else tuple(shapes)


def game(recipe: "Recipe", data: Images, networks: dict[str, Any]) -> "Game":
    """Returns a recipe's game with the user's networks in the place of its own.

    Args:
        recipe: gives the algorithm, the optimizers, and the networks that are not given.
        data: training images, or only their shape and classes.
        networks: `{player or part: network}`; the parts of the player `autoencoder` are `encoder` and `decoder`.

    Raises:
        UsageError: a network has inputs or outputs that do not fit, or the recipe has no network for this size.
    """
    if not networks:
        return recipe.game(data)
    demand_apart(networks)
    template, shape = built(recipe, data, networks), data.images.shape[1:]
    code = code_of(networks)
    chosen = {}
    for name, network in networks.items():
        known = name if name in PARTS and "autoencoder" in template.players else player(template, name)
        demand_alike(known, network, getattr(template, known, None), template, shape, code)
        chosen[known] = network
    if "autoencoder" in template.players and set(PARTS) & set(chosen):
        parts = [named(chosen.pop(part, getattr(template, part)), part) for part in PARTS]
        demand_joined(*parts)
        chosen["autoencoder"] = autoencoding.autoencoder(*parts)
    prior = getattr(template, "prior", None)
    if prior is not None and code not in (None, prior.size):
        template.prior = dataclasses.replace(prior, size=code)
    demand_logits(template, chosen)
    template.take_networks(chosen)
    settle_range(template)
    return template


def take_prior(made: "Game", prior: Any) -> None:
    """Gives a game another distribution of codes; raises UsageError if it has none, or codes of another size."""
    mine = getattr(made, "prior", None)
    if mine is None:
        raise UsageError("This model draws no codes: leave prior out.")
    if mine.size != prior.size:
        raise UsageError(f"The prior draws codes of {prior.size} numbers, and the networks take {mine.size}.")
    made.prior = prior


def built(recipe: "Recipe", data: Images, networks: dict[str, Any]) -> "Game":
    """Returns the recipe's game with its own networks: for the size of the images, or for another that it knows.

    Another size will do where the user gives all networks that see images.
    """
    try:
        return recipe.game(data)
    except UsageError as refused:
        for size in SIZES:
            other = np.zeros((len(data.images), size, size, data.images.shape[-1]), np.uint8)
            try:
                template = recipe.game(data._replace(images=other))
            except UsageError:
                continue
            if missing(template, networks):
                raise UsageError(f"{refused} Or give networks of your own for {missing(template, networks)} too.")
            return template
        raise


def missing(template: "Game", networks: dict[str, Any]) -> str:
    """Returns the names of the players that the user gives no network for, with commas."""
    given = set(networks) | ({"autoencoder"} if set(PARTS) <= set(networks) else set())
    given |= {player(template, name) for name in networks if name not in PARTS}
    return ", ".join(name for name in template.players if name not in given)


def demand_alike(name: str, mine: Any, theirs: Any, made: "Game", images: tuple, code: int | None) -> None:
    """Raises UsageError unless a network has inputs and outputs like those of the network that it replaces.

    Args:
        name: of the player or the part.
        mine: the user's network.
        theirs: the recipe's network.
        made: the game of `theirs`.
        images: the shape of an image for `mine`.
        code: the size of a latent or a code for `mine`; None leaves that of `theirs`.
    """
    for side in ("input", "output"):
        ours, others = shapes(mine, side), shapes(theirs, side)
        coded = code if (name, side) in CODED else None
        wanted = [fitting(shape, number, made, images, coded) for number, shape in enumerate(others)]
        if len(ours) != len(wanted) or not all(map(fits, ours, wanted)):
            words = " and ".join(text(shape) for shape in wanted)
            raise UsageError(f"The {side} of {name} must be {words}, not {' and '.join(map(text, ours))}.")


def demand_logits(made: "Game", networks: dict[str, Any]) -> None:
    """Raises UsageError if a new discriminator ends in a sigmoid, as its outputs show: the losses take its logits."""
    network = networks.get(getattr(made, "discriminator_name", "discriminator"))
    if network is None or len(shapes(network, "input")) > 1:
        return
    noise = np.random.default_rng(0).standard_normal((PROBED, *first(network.input_shape)[1:]), np.float32)
    outputs = [network(scale * noise, training=False) for scale in (1, 10, 100)]
    logits = np.concatenate([np.ravel(each[0] if isinstance(each, (list, tuple)) else each) for each in outputs])
    if logits.max() > 0 and logits.min() >= 0 and logits.max() <= 1:
        raise UsageError("A discriminator here gives logits, and its losses take logits: leave out its last sigmoid.")


def demand_apart(networks: dict[str, Any]) -> None:
    """Raises UsageError if two networks share a weight: each belongs to one player."""
    seen = {}
    for name, network in networks.items():
        for weight in network.weights:
            if seen.setdefault(id(weight), name) != name:
                raise UsageError(f"The networks {seen[id(weight)]} and {name} share the weight {weight.path}.")


def shapes(network: Any, side: str) -> list[tuple]:
    """Returns the shapes of a network's inputs or outputs without the batch."""
    found = getattr(network, f"{side}_shape")
    several = isinstance(found, list) or isinstance(found[0], (tuple, list))
    return [tuple(shape)[1:] for shape in (found if several else [found])]


def fitting(shape: tuple, number: int, made: "Game", image: tuple, code: int | None) -> tuple:
    """Returns the shape that stands for `shape`, output or input `number`, in the user's sizes; None is any size.

    Images have the user's shape, codes the user's size. Outputs of one number or of classes keep their size; others,
    such as features of a discriminator, may have any.
    """
    if shape == made.image_shape:
        return image
    if len(shape) == 1 and code is not None:
        return (code,)
    if not shape or (len(shape) == 1 and (number == 0 or shape[0] - len(made.classes) in (0, 1))):
        return shape
    return (None,) * len(shape)


def fits(shape: tuple, wanted: tuple) -> bool:
    """Returns whether a shape is the wanted one, in which None is any size."""
    return len(shape) == len(wanted) and all(w is None or s == w for s, w in zip(shape, wanted, strict=True))


def text(shape: tuple) -> str:
    """Returns a shape with its batch as text."""
    return f"(batch{''.join(f', {size}' for size in shape)})"


def named(network: Any, name: str) -> Any:
    """Returns a network of this name around another one; weights are shared."""
    if network.name == name:
        return network
    image = keras.Input(first(network.input_shape)[1:])
    return keras.Model(image, network(image), name=name)


def demand_joined(encoder: Any, decoder: Any) -> None:
    """Raises UsageError unless the decoder takes the codes of the encoder."""
    size, taken = first(encoder.output_shape)[-1], first(decoder.input_shape)[-1]
    if size != taken:
        raise UsageError(f"The encoder gives codes of {size} numbers, and the decoder takes {taken}: give both.")


def settle_range(made: "Game") -> None:
    """Sets the range of an adversarial game's images to that of a new generator; refuses a decoder of another range.

    A network whose images of random codes are nowhere negative ends in a sigmoid or the like, so its range is [0, 1].

    Raises:
        UsageError: an autoencoder's loss is of another range than its decoder's images.
    """
    name = next((name for name in ("generator", "decoder") if getattr(made, name, None) is not None), None)
    if name is None or made.range not in (UNIT, SYMMETRIC):
        return
    outputs = probed(getattr(made, name), made)
    if name == "generator":
        if outputs.min() >= 0 and outputs.max() > 1:
            raise UsageError(f"The images of generator lie in [0, {outputs.max():.3g}]: end it in tanh or a sigmoid.")
        made.range = UNIT if outputs.min() >= 0 else SYMMETRIC
        return
    numbers = np.linspace(-1, 1, 5, dtype=np.float32)
    if not np.allclose(np.asarray(made.paint(numbers)), numbers) and outputs.min() >= 0 and outputs.max() <= 1:
        raise UsageError("The decoder of this model gives logits of its images: leave out its last sigmoid.")
    painted, (low, high) = np.asarray(made.paint(outputs)), made.range
    if low < 0 <= painted.min() or painted.min() < low == 0:
        raise UsageError(
            f"The images of {name} must lie in [{low:g}, {high:g}], those of this network are from "
            f"{painted.min():.2g} to {painted.max():.2g}: end it in {'tanh' if low < 0 else 'a sigmoid'}."
        )


def probed(network: Any, made: "Game") -> np.ndarray:
    """Returns the outputs of a generator or decoder for random codes, and for each label in turn if it takes labels."""
    codes = np.random.default_rng(0).standard_normal((PROBED, first(network.input_shape)[-1]), np.float32)
    several = len(shapes(network, "input")) > 1
    inputs = [codes, np.arange(PROBED) % len(made.classes)] if several else codes
    return np.asarray(network(inputs, training=False))
