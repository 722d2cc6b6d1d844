"""The base of adversarial games: the two players, the discriminator's inputs, the generator's pictures and exports.

It also has the flags that adversarial recipes offer besides their paper's numbers: the steps of each player, their
rates, balance and the loss. Those of the discriminator's regularisation are in `kgen.core.regularisation`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen import rng
from kgen.backend import Tensor, keras, tf
from kgen.core import signatures
from kgen.core.regularisation import RegularisedGame, RegularisedRecipe
from kgen.core.requests import LIMIT
from kgen.core.update_rules import Balance
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES, AdversarialLoss

if TYPE_CHECKING:
    from kgen.core.game import Player
    from kgen.core.priors import Normal, Uniform
    from kgen.data import Images
    from kgen.images import Range

LossName = Literal[tuple(LOSSES)]
ON_ONE_SCALE = ("minimax", "non_saturating", "least_squares")  # losses whose two values can be compared


class AdversarialGame(RegularisedGame):
    """A generator and a discriminator. A paper's game adds `play`, `discriminator_turn` and `generator_turn`.

    Args:
        generator: player, latents `(batch, size)` -> images in `image_range`.
        discriminator: player, images -> logits `(batch, 1)`.
        loss: a `kgen.losses.adversarial.AdversarialLoss`; None for a game that has its own.
        prior: distribution of z, see `kgen.core.priors`.
        image_range: values of the generator's images, a `kgen.images.Range`.
        discriminator_steps, generator_steps, discriminator_rate, balance: the flags of `AdversarialRecipe`.
        regularisation: the flags of `RegularisedRecipe`.

    Class attributes:
        share: factor on its loss when `Balance` compares losses. It is 1/2 for a loss that sums over real and generated
            images.
    """

    reports = ("real_score", "fake_score")
    share = 0.5

    def __init__(
        self,
        generator: "Player",
        discriminator: "Player",
        loss: AdversarialLoss | None,
        prior: "Normal | Uniform",
        image_range: "Range",
        *,
        discriminator_steps: int = 1,
        generator_steps: int = 1,
        discriminator_rate: float = 1.0,
        balance: float = 0.0,
        **regularisation: Any,
    ) -> None:
        players = {"generator": generator, self.discriminator_name: discriminator}
        super().__init__(players, loss, image_range, **regularisation)
        self.prior = prior
        self.discriminator_steps, self.generator_steps = discriminator_steps, generator_steps
        self.batches = max(discriminator_steps, generator_steps)
        if discriminator_rate != 1:
            from kgen.core import rates  # it needs Keras, and `--help` must not wait for that

            rates.scale(discriminator.optimizer, discriminator_rate)
        if balance:
            self.update_rule = Balance(balance, {self.discriminator_name: self.share, "generator": 1.0})

    def sample(self, count: int) -> Tensor:
        """Returns generated images `(count, height, width, channels)`; the generator runs in training mode."""
        return self.generator(self.prior.draw(count), training=True)

    def scores(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """Returns the means of D(x) and D(G(z)), scalars to be logged.

        1 means real and 0 means generated. A critic's values have no such meaning.
        """
        score = self.loss.score or tf.identity
        return {"real_score": keras.ops.mean(score(real_logits)), "fake_score": keras.ops.mean(score(fake_logits))}

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the images in `range` of latents `(batch, size)`; of `[latents, labels]` where there are classes."""
        return self.generator(inputs, training=False)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of an image, `(height, width, channels)`."""
        return tuple(self.generator.output_shape[1:])

    def pictures(self, count: int) -> Tensor:
        """Returns `count` generated images of new latents, float32 `(count, height, width, channels)` in [0, 1]."""
        module, _ = self.served
        return module.serving_default(self.prior.draw(count))["images"]

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.generator` of the generator."""
        return signatures.generator(self.generator, self.prior, self.range)


class ClassConditionalGame(AdversarialGame):
    """An adversarial game whose generator takes `[z, label]` and whose batches are `(images, labels)`.

    Args:
        classes: names of the classes. The other arguments are those of `AdversarialGame`.
    """

    labelled = True

    def __init__(self, *args: Any, classes: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.classes = classes

    def sample(self, labels: Tensor) -> Tensor:
        """Returns one generated image for each of the labels `(count,)`; the generator runs in training mode."""
        return self.generator([self.prior.draw(labels.shape[0]), labels], training=True)

    def some_labels(self, count: int) -> Tensor:
        """Returns random labels, int32 `(count,)`; all classes are equally likely."""
        return rng.current().integers((count,), len(self.classes))

    def labels(self, count: int) -> Tensor:
        """Returns the labels of `pictures`, int32 `(count,)`: equal parts of all classes, in order."""
        return tf.range(count) * len(self.classes) // count

    def pictures(self, count: int) -> Tensor:
        """Returns generated images of `labels(count)`, float32 `(count, height, width, channels)` in [0, 1]."""
        module, _ = self.served
        return module.serving_default(self.prior.draw(count), tf.cast(self.labels(count), tf.int64))["images"]

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.class_conditional` of the generator."""
        return signatures.class_conditional(self.generator, self.prior, self.range, len(self.classes))


def named_classes(data: "Images") -> tuple[str, ...]:
    """Returns the names of the classes of `data`; raises UsageError unless there are 2 to 256."""
    if not 2 <= len(data.classes) <= LIMIT:
        raise UsageError(
            f"This model needs a dataset with 2 to {LIMIT} classes, such as mnist, not {len(data.classes)}."
        )
    return data.classes


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(RegularisedRecipe):
    """Flags of every game between a generator and a discriminator."""

    discriminator_steps: int = 1  # Steps of the discriminator, 1 to 10: k of Goodfellow, n_critic of WGAN.
    generator_steps: int = 1  # Steps of the generator after those of the discriminator, 1 to 10.
    discriminator_rate: float = 1.0  # Factor on the discriminator's learning rate: two time scales, Heusel et al. 2017.
    balance: float = 0.0  # A player rests while the other's loss is greater by more than this share; 0 is off.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.discriminator_rate > 0, "discriminator_rate", "above 0")
        self.demand(self.balance >= 0, "balance", "0 or more")
        for name in ("discriminator_steps", "generator_steps"):
            self.demand(1 <= getattr(self, name) <= 10, name, "from 1 to 10")

    def rules(self) -> dict[str, Any]:
        """Returns the fields above, and those of `RegularisedRecipe`, as keyword arguments of an `AdversarialGame`."""
        names = ("discriminator_steps", "generator_steps", "discriminator_rate", "balance")
        return {**super().rules(), **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, kw_only=True)
class AnyLossRecipe(AdversarialRecipe):
    """Flags of the algorithms that work with any pair of losses."""

    loss: LossName = "non_saturating"  # What the two players minimise.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.loss in LOSSES, "loss", f"one of {', '.join(LOSSES)}")
        comparable = not self.balance or self.loss in ON_ONE_SCALE
        self.demand(comparable, "balance", f"0, since the two values of --loss {self.loss} have no common scale")

    def adversarial_loss(self) -> AdversarialLoss:
        """Returns the pair of losses that `loss` names."""
        return LOSSES[self.loss]
