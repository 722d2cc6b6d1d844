"""The classic generative image models on Keras 3: trained, resumed exactly, measured, exported.

    import kgen

    images, labels, classes = kgen.load_data("mnist5k")
    model = kgen.create("dcgan")  # a keras.Model; or kgen.DCGAN(generator=mine, discriminator=mine)
    model.fit(images, epochs=10)
    pictures = model.sample(64, seed=1)

    result = kgen.train("dcgan", steps=2_000)  # what the command `kgen train` does
    pictures = kgen.load(result.run).generator.draw(seed=1, count=64)

Each name below is imported when it is first used. There is a class for each recipe class too, see
`kgen.training.model.create.maker`.
"""

import importlib
from collections.abc import Callable

__version__ = "0.1.0"

_PUBLIC = {
    "AdversarialLoss": "kgen.losses.adversarial",
    "Game": "kgen.core.game",
    "LoadedModel": "kgen.inference.loading",
    "Player": "kgen.core.game",
    "Recipe": "kgen.core.recipe",
    "Trainer": "kgen.training.model.trainer",
    "UsageError": "kgen.errors",
    "Diverged": "kgen.errors",
    "create": "kgen.training.model.create",
    "find_recipe": "kgen.core.recipe",
    "load": "kgen.inference.loading",
    "load_data": "kgen.data",
    "load_model": "kgen.training.model.create",
    "recipe_names": "kgen.core.recipe",
    "train": "kgen.training.train",
}
_NAMES = {
    "find_recipe": "find",
    "recipe_names": "names",
    "load_data": "load",
}  # what they are called where they are defined
__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Callable:
    if name not in _PUBLIC:
        maker = name[:1].isupper() and importlib.import_module("kgen.training.model.create").maker(name)
        if maker:
            return maker
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), _NAMES.get(name, name))


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
