"""Makes the Keras model of a recipe: `kgen.create("dcgan", image_size=64)`, `kgen.DCGAN(generator=mine)`."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from kgen.backend import keras
from kgen.core import recipe as recipes
from kgen.core.options import RunOptions
from kgen.core.recipe import Recipe
from kgen.data.spellings import sides
from kgen.errors import UsageError
from kgen.export import keras_safety
from kgen.training.model import networks as own
from kgen.training.model.origin import Origin
from kgen.training.model.trainer import Trainer

OF_MODELS = {"image_size", "precision", "jit", "steps_per_execution"}  # options of runs that models have too
DEFAULT = (28, 28, 1)  # shape of the images of mnist5k


def create(
    recipe: Recipe | str,
    images: np.ndarray | None = None,
    *,
    image_shape: Sequence[int] | None = None,
    classes: int | Sequence[str] = (),
    **others: Any,
) -> Trainer:
    """Returns the model of a recipe, with new weights, compiled with the recipe's optimizers.

    Args:
        recipe: a recipe, or the name of one.
        images: training images uint8 `(n, height, width, channels)`, for their shape; the networks of some recipes
            start from them.
        image_shape: `(height, width, channels)`, if there are no `images`. The default is that of the networks given,
            or `image_size` in colour, or else `(28, 28, 1)`.
        classes: names of the classes, or how many there are, for a class-conditional model or a classifier.
        others: values of the recipe's fields, such as `latent_dim=64`; and networks of your own by the name of the
            player or part, such as `generator`, `discriminator`, `encoder` or `decoder`; and `prior`, an object with
            `size` and `draw(count)` as in `kgen.core.priors`.

    Raises:
        UsageError: a name is unknown, or a network does not fit.
    """
    found = recipes.find(recipe) if isinstance(recipe, str) else recipe
    networks = {name: demand_built(name, each) for name, each in others.items() if isinstance(each, keras.Layer)}
    prior = others.pop("prior", None) if hasattr(others.get("prior"), "draw") else None
    fields = {name: value for name, value in others.items() if name not in networks}
    code = own.code_of(networks)
    if code is not None and hasattr(found, "latent_dim"):
        demand_equal("latent_dim", fields.setdefault("latent_dim", code), code)
    found = changed(found, fields)
    if found.holds_out:  # `fit` has validation_data, and keeps no best weights
        found = dataclasses.replace(found, folds=0, patience=0)
    shape = shape_of(found, images, image_shape, networks, "image_size" in fields)
    if "image_size" in fields:
        demand_equal("image_size", sides(fields["image_size"]), tuple(shape[:2]))
    if images is not None and np.asarray(images).dtype != np.uint8:
        raise UsageError("create() takes images as uint8; fit() takes floating-point ones too.")
    if keras.config.dtype_policy().name == "mixed_float16":
        raise UsageError("mixed_float16 needs losses that are scaled: take precision='mixed_bfloat16'.")
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(classes)
    seen = np.zeros((0, *shape), np.uint8) if images is None else np.asarray(images).reshape(-1, *shape)
    made = Origin(found, shape, names, networks, prior, len(seen)).build(Trainer, seen)
    if names and not made.game.classes:
        raise UsageError(f"{found.name} learns no classes: leave classes out.")
    return made


def demand_equal(name: str, given: Any, found: Any) -> None:
    """Raises UsageError unless a number that was given is that of the networks or images."""
    if given != found:
        raise UsageError(f"{name} is {given}, but the networks or images have {found}: leave {name} out.")


def changed(recipe: Recipe, fields: dict[str, Any]) -> Recipe:
    """Returns a recipe with other values; raises UsageError for a field that it does not have, or an option of runs."""
    odd = [name for name in fields if name in of_runs(recipe)]
    if odd:
        raise UsageError(f"create() takes no {odd[0]}, which is an option of runs: see kgen.train.")
    return recipes.changed(recipe, fields)


def of_runs(recipe: Recipe) -> set[str]:
    """Returns the names of a recipe's fields that say how a run goes, and mean nothing to a model in memory."""
    options = {field.name for field in dataclasses.fields(RunOptions)} - OF_MODELS
    return {"name", "start_from", "folds", "fold", "patience", *options}


def shape_of(
    recipe: Recipe,
    images: np.ndarray | None,
    image_shape: Sequence[int] | None,
    networks: dict[str, Any],
    sized: bool,
) -> tuple[int, ...]:
    """Returns the shape of an image, `(height, width, channels)`, from the first that tells it, see `create`."""
    if images is not None:
        return (*np.shape(images)[1:], 1) if np.ndim(images) == 3 else tuple(np.shape(images)[1:])
    if image_shape is not None:
        return tuple(image_shape)
    return own.shape_of(networks) or ((*sides(recipe.image_size), 3) if sized else DEFAULT)


def demand_built(name: str, network: "keras.Layer") -> "keras.Layer":
    """Returns a network whose shapes are known; raises UsageError for one that has not been built."""
    try:
        network.input_shape, network.output_shape  # noqa: B018
    except AttributeError:
        raise UsageError(
            f"The shapes of the network {name} are not known: begin a Sequential with keras.Input(shape), and wrap a "
            f"subclassed network as keras.Model(x, {name}(x)) with x = keras.Input(shape)."
        ) from None
    kinds = ("kernel_regularizer", "bias_regularizer", "activity_regularizer")
    if network.losses or any(getattr(layer, kind, None) for layer in network._flatten_layers() for kind in kinds):
        raise UsageError(
            f"The network {name} has losses of its own (regularizers, add_loss), which a game does not take."
        )
    return network


def reason(error: Exception) -> str:
    """Returns what an error of Keras says, without the configuration that it repeats."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words.rpartition("Exception encountered: ")[2].partition(" Full object config")[0][:300]


def maker(name: str) -> Callable | None:
    """Returns `create` for the first recipe of the class `<name>Recipe`, such as `DCGAN`; None if there is none."""
    for recipe in recipes.all_recipes().values():
        if type(recipe).__name__ == f"{name}Recipe":
            return partial(create, recipe)
    return None


def load_model(filepath: str, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Trainer:
    """Returns a model that `save("x.keras")` wrote. It goes on as if it had never stopped.

    Args:
        filepath: of the file.
        custom_objects: classes of your own networks, `{name: class}`, unless they are registered with Keras.
        safe_mode: whether layers that may run code or touch files are refused, see `kgen.export.keras_safety`; leave it
            on for a file of somebody else.

    Raises:
        UsageError: it is no such file.
    """
    if safe_mode:
        keras_safety.demand_plain(filepath, custom_objects or ())
    try:
        found = keras.saving.load_model(filepath, custom_objects=custom_objects, safe_mode=safe_mode)
    except UsageError:
        raise
    except Exception as error:  # whatever a damaged or a hostile file makes Keras raise
        raise UsageError(f"{filepath} cannot be loaded: {reason(error)}") from error
    if not isinstance(found, Trainer):
        raise UsageError(f"{filepath} is a {type(found).__name__}, not a model of kgen: open it with keras.saving.")
    return found
