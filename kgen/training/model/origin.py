"""What a trainer was made of: a recipe, the shape of images, classes, and the user's own networks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import keras
from kgen.core import priors
from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.runs import build
from kgen.training.model import networks as own

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe


@dataclass(frozen=True)
class Origin:
    """A recipe with all that is needed to build its trainer again.

    Args:
        recipe: its numbers.
        shape: of an image, `(height, width, channels)`.
        classes: names of the classes, or `()`.
        networks: the user's own, `{player or part: network}`.
        prior: the user's own distribution of codes, see `kgen.core.priors`; None is the recipe's.
        count: how many training images it was made for, on which the rates of some recipes depend.
    """

    recipe: "Recipe"
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    networks: dict[str, Any] = field(default_factory=dict)
    prior: Any = None
    count: int = 0

    def build(self, kind: type, images: np.ndarray) -> Any:
        """Returns a new trainer of class `kind`, compiled with the recipe's optimizers.

        Args:
            kind: `kgen.Trainer`.
            images: training images uint8 `(n, *shape)`, which the networks of some recipes start from.
        """
        labels = np.zeros(len(images), np.int64) if self.classes else None
        pictures = Images(images, labels, self.classes)
        trainer = build.prepare(self.recipe, pictures, kind, self._game)
        trainer.origin = self
        return trainer

    def _game(self, data: Images) -> "Game":
        made = own.game(self.recipe, data, self.networks)
        if self.prior is not None:
            own.take_prior(made, self.prior)
        return made

    def get_config(self) -> dict[str, Any]:
        """Returns this as JSON, networks as Keras serializes them."""
        return {
            "recipe": self.recipe.to_json(),
            "shape": list(self.shape),
            "classes": list(self.classes),
            "networks": {name: keras.saving.serialize_keras_object(each) for name, each in self.networks.items()},
            "prior": self.prior and priors.to_json(self.prior),
            "count": self.count,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Origin":
        """Returns what `get_config` described. A network of a class that Keras does not know is refused by Keras."""
        found = {name: keras.saving.deserialize_keras_object(each) for name, each in config["networks"].items()}
        recipe = recipes.from_json(config["recipe"], "The saved model")
        prior = config["prior"] and priors.from_json(config["prior"])
        return cls(recipe, tuple(config["shape"]), tuple(config["classes"]), found, prior, config["count"])

    def black(self) -> np.ndarray:
        """Returns as many black images as it was made for, uint8 `(count, *shape)`: the weights will be loaded."""
        return np.broadcast_to(np.zeros(self.shape, np.uint8), (self.count, *self.shape))
