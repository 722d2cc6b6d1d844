"""What a trainer was made of: a recipe, the shape of images, classes, and the user's own networks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import keras
from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.runs import build
from kgen.training.model import networks as own

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe


@dataclass(frozen=True)
class Origin:
    """A recipe with all that is needed to build its trainer again.

    Args:
        recipe: its numbers.
        shape: of an image, `(height, width, channels)`.
        classes: names of the classes, or `()`.
        networks: the user's own, `{player or part: network}`.
    """

    recipe: "Recipe"
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    networks: dict[str, Any] = field(default_factory=dict)

    def build(self, kind: type, images: np.ndarray) -> Any:
        """Returns a new trainer of class `kind`, compiled with the recipe's optimizers.

        Args:
            kind: `kgen.Trainer`.
            images: training images uint8 `(n, *shape)`, which the networks of some recipes start from.
        """
        labels = np.zeros(len(images), np.int64) if self.classes else None
        pictures = Images(images, labels, self.classes)
        trainer = build.prepare(self.recipe, pictures, kind, lambda data: own.game(self.recipe, data, self.networks))
        trainer.origin = self
        return trainer

    def get_config(self) -> dict[str, Any]:
        """Returns this as JSON, networks as Keras serializes them."""
        return {
            "recipe": self.recipe.to_json(),
            "shape": list(self.shape),
            "classes": list(self.classes),
            "networks": {name: keras.saving.serialize_keras_object(each) for name, each in self.networks.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Origin":
        """Returns what `get_config` described. A network of a class that Keras does not know is refused by Keras."""
        found = {name: keras.saving.deserialize_keras_object(each) for name, each in config["networks"].items()}
        recipe = recipes.from_json(config["recipe"], "The saved model")
        return cls(recipe, tuple(config["shape"]), tuple(config["classes"]), found)
