"""The base of adversarial games: the two players, the discriminator's inputs, the generator's pictures and exports.

It also has the flags that adversarial recipes offer besides their paper's numbers: augmentation, R1, the steps of each
player, balance and the loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen import rng
from kgen.augmentation.diffaugment import POLICIES, augment
from kgen.backend import Tensor, keras, tf
from kgen.core import signatures
from kgen.core.game import Game
from kgen.core.recipe import Recipe
from kgen.core.requests import LIMIT
from kgen.core.update_rules import Balance
from kgen.errors import UsageError
from kgen.losses import penalties
from kgen.losses.adversarial import LOSSES, AdversarialLoss

if TYPE_CHECKING:
    from kgen.core.game import Player
    from kgen.core.priors import Normal, Uniform
    from kgen.data import Images
    from kgen.images import Range

LossName = Literal[tuple(LOSSES)]
ON_ONE_SCALE = ("minimax", "non_saturating", "least_squares")  # losses whose two values can be compared


class AdversarialGame(Game):
    """A generator and a discriminator. A paper's game adds `play`, `discriminator_turn` and `generator_turn`.

    Args:
        generator: player, latents `(batch, size)` -> images in `image_range`.
        discriminator: player, images -> logits `(batch, 1)`.
        loss: a `kgen.losses.adversarial.AdversarialLoss`; None for a game that has its own.
        prior: distribution of z, see `kgen.core.priors`.
        image_range: values of the generator's images, a `kgen.images.Range`.
        policies, r1, discriminator_steps, generator_steps, balance: the flags of `AdversarialRecipe`.

    Class attributes:
        discriminator_name: name of the discriminator as a player, such as `critic`.
        share: factor on its loss when `Balance` compares losses. It is 1/2 for a loss that sums over real and generated
            images.
    """

    discriminator_name = "discriminator"
    share = 0.5

    def __init__(
        self,
        generator: "Player",
        discriminator: "Player",
        loss: AdversarialLoss | None,
        prior: "Normal | Uniform",
        image_range: "Range",
        *,
        policies: list[str] = (),
        r1: float = 0.0,
        discriminator_steps: int = 1,
        generator_steps: int = 1,
        balance: float = 0.0,
    ) -> None:
        super().__init__(**{"generator": generator, self.discriminator_name: discriminator})
        self.loss, self.prior, self.range = loss, prior, image_range
        self.policies, self.r1 = policies, r1
        self.discriminator_steps, self.generator_steps = discriminator_steps, generator_steps
        self.batches = max(discriminator_steps, generator_steps)
        self.reports = ("real_score", "fake_score", "r1") if r1 else ("real_score", "fake_score")
        if balance:
            self.update_rule = Balance(balance, {self.discriminator_name: self.share, "generator": 1.0})

    def sample(self, count: int) -> Tensor:
        """Returns generated images `(count, height, width, channels)`; the generator runs in training mode."""
        return self.generator(self.prior.draw(count), training=True)

    def discriminate(self, batch: Tensor, training: bool = True) -> Tensor:
        """Returns the logits `(batch, 1)` of images, which are first augmented by the policies."""
        seen = augment(batch, self.policies, self.range)
        return self.players[self.discriminator_name].network(seen, training=training)

    def scores(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """Returns the means of D(x) and D(G(z)), scalars to be logged.

        1 means real and 0 means generated. A critic's values have no such meaning.
        """
        score = self.loss.score or tf.identity
        return {"real_score": keras.ops.mean(score(real_logits)), "fake_score": keras.ops.mean(score(fake_logits))}

    def with_r1(self, values: dict[str, Tensor], real: Tensor, critic: Callable | None = None) -> dict[str, Tensor]:
        """Returns the discriminator's `values`, scalars, with the R1 penalty added; unchanged when its weight is 0.

        The gradient is taken of the discriminator at inference. In training, batch norm uses the statistics of the
        batch, so the gradient at one image would depend on the other images.

        Args:
            values: `{name: scalar}`.
            real: images `(batch, height, width, channels)`.
            critic: function of images to one logit each, at inference; None uses `discriminate`.
        """
        if not self.r1:
            return values
        penalty = penalties.r1(critic or (lambda seen: self.discriminate(seen, training=False)), real)
        return {**values, self.discriminator_name: values[self.discriminator_name] + self.r1 * penalty, "r1": penalty}

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
class AdversarialRecipe(Recipe):
    """Flags of every game between a generator and a discriminator."""

    augment: str | None = None  # DiffAugment policies for the discriminator: color, translation, cutout, with commas.
    r1: float = 0.0  # Weight gamma of the R1 penalty: the discriminator's gradient at real images; 0 is none.
    discriminator_steps: int = 1  # Steps of the discriminator, 1 to 10: k of Goodfellow, n_critic of WGAN.
    generator_steps: int = 1  # Steps of the generator after those of the discriminator, 1 to 10.
    balance: float = 0.0  # A player rests while the other's loss is greater by more than this share; 0 is off.

    def __post_init__(self) -> None:
        super().__post_init__()
        named = self.augment is None or (self.policies() and set(self.policies()) <= set(POLICIES))
        self.demand(named, "augment", f"some of {', '.join(POLICIES)}, separated by commas")
        self.demand(self.r1 >= 0, "r1", "0 or more")
        self.demand(self.balance >= 0, "balance", "0 or more")
        for name in ("discriminator_steps", "generator_steps"):
            self.demand(1 <= getattr(self, name) <= 10, name, "from 1 to 10")

    def policies(self) -> list[str]:
        """Returns the names in `augment`, in order."""
        return [name.strip() for name in (self.augment or "").split(",") if name.strip()]

    def rules(self) -> dict[str, Any]:
        """Returns the fields above as keyword arguments of an `AdversarialGame`."""
        return {
            "policies": self.policies(),
            "r1": self.r1,
            "discriminator_steps": self.discriminator_steps,
            "generator_steps": self.generator_steps,
            "balance": self.balance,
        }


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
