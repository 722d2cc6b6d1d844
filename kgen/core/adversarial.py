"""What adversarial games share: whose turn it is, what the discriminator sees, how the generator is shown and served.

And the flags that every adversarial recipe offers besides its paper's numbers: augmentation, R1, update ratios and
balance.
"""

from dataclasses import dataclass

from kgen import rng
from kgen.augmentation.diffaugment import POLICIES, augment
from kgen.backend import keras, tf
from kgen.core import signatures
from kgen.core.game import Game
from kgen.core.recipe import Recipe
from kgen.core.update_rules import Balance
from kgen.errors import UsageError
from kgen.losses import penalties


class AdversarialGame(Game):
    """A generator against a discriminator. A paper's game adds `discriminator_turn` and `generator_turn`.

    Args:
        generator: player, latents `(batch, size)` -> images in `image_range`.
        opponent: player, images -> logits `(batch, 1)`: the discriminator, or critic.
        objective: pair of losses, see `kgen.losses.adversarial`.
        prior: distribution of z, see `kgen.core.priors`.
        image_range: values of the generator's images, a `kgen.images.Range`.
        policies, r1, generator_every, discriminator_every, balance: the flags of `AdversarialRecipe`.

    Class attributes:
        opponent: name of the second player.
        share: factor on its loss when losses are compared: a sum over real and generated images counts half.
    """

    opponent = "discriminator"
    share = 0.5

    def __init__(
        self,
        generator,
        opponent,
        objective,
        prior,
        image_range,
        *,
        policies=(),
        r1=0.0,
        generator_every=1,
        discriminator_every=1,
        balance=0.0,
    ):
        super().__init__(**{"generator": generator, self.opponent: opponent})
        self.objective, self.prior, self.range = objective, prior, image_range
        self.policies, self.r1 = policies, r1
        self.generator_every, self.discriminator_every = generator_every, discriminator_every
        self.batches = max(generator_every, discriminator_every)
        self.reports = ("real_score", "fake_score") + ("r1",) * bool(r1)
        if balance:
            self.referee = Balance(balance, {self.opponent: self.share, "generator": 1.0})

    def play(self, batches):
        for number, batch in enumerate(batches, 1):
            if number % self.discriminator_every == 0:
                yield self.discriminator_turn, batch
            if number % self.generator_every == 0:
                yield self.generator_turn, batch

    def sample(self, count):
        """Returns generated images with the generator in training mode."""
        return self.generator(self.prior.draw(count), training=True)

    def judge(self, batch):
        """Returns what the discriminator says of images, augmented by the policies; in training mode."""
        return self.players[self.opponent].network(augment(batch, self.policies), training=True)

    def scores(self, real_logits, fake_logits):
        """Returns the means of D(x) and D(G(z)) to be logged: 1 is real, 0 generated; a critic's are its own scale."""
        score = self.objective.score or tf.identity
        return {"real_score": keras.ops.mean(score(real_logits)), "fake_score": keras.ops.mean(score(fake_logits))}

    def with_r1(self, values, real, critic=None):
        """Returns the opponent's `values` with its R1 penalty added and reported; unchanged when its weight is 0."""
        if not self.r1:
            return values
        penalty = penalties.r1(critic or self.judge, real)
        return {**values, self.opponent: values[self.opponent] + self.r1 * penalty, "r1": penalty}

    def pictures(self, count):
        module, _ = self.served
        return module.serving_default(self.prior.draw(count))["images"]

    def signatures(self):
        return signatures.generator(self.generator, self.prior, self.range)


class ClassConditionalGame(AdversarialGame):
    """An adversarial game whose generator takes `[z, label]` and whose batches are `(images, labels)`.

    Args:
        classes: names of the classes; the others as in `AdversarialGame`.
    """

    labelled = True

    def __init__(self, *args, classes, **kwargs):
        super().__init__(*args, **kwargs)
        self.classes = classes

    def sample(self, labels):
        """Returns one generated image for each label, with the generator in training mode."""
        return self.generator([self.prior.draw(labels.shape[0]), labels], training=True)

    def some_labels(self, count):
        """Returns random labels, int32 `(count,)`, all classes equally likely."""
        return rng.current().integers((count,), len(self.classes))

    def labels(self, count):
        """Returns the labels of `pictures`: equal parts of all classes, in order, int32 `(count,)`."""
        return tf.range(count) * len(self.classes) // count

    def pictures(self, count):
        module, _ = self.served
        return module.serving_default(self.prior.draw(count), tf.cast(self.labels(count), tf.int64))["images"]

    def signatures(self):
        return signatures.class_conditional(self.generator, self.prior, self.range, len(self.classes))


def named_classes(data):
    """Returns the names of the classes of `data`; raises UsageError unless there are 2 to 256."""
    if not 2 <= len(data.classes) <= signatures.LIMIT:
        raise UsageError(
            f"This model needs a dataset with 2 to {signatures.LIMIT} classes, such as mnist, not {len(data.classes)}."
        )
    return data.classes


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(Recipe):
    """Flags of every game between a generator and a discriminator."""

    augment: str | None = None  # DiffAugment of what the discriminator sees: color, translation, cutout, with commas.
    r1: float = 0.0  # Weight gamma of the penalty on the discriminator's slope at real images (R1); 0 is none.
    generator_every: int = 1  # Batches between the generator's turns, 1 to 10: k of Goodfellow, n_critic of WGAN.
    discriminator_every: int = 1  # Batches between the discriminator's turns, 1 to 10.
    balance: float = 0.0  # A player rests while the other's loss is greater by more than this share; 0 is off.

    def __post_init__(self):
        super().__post_init__()
        named = self.augment is None or (self.policies() and set(self.policies()) <= set(POLICIES))
        self.demand(named, "augment", f"some of {', '.join(POLICIES)}, separated by commas")
        self.demand(self.r1 >= 0, "r1", "0 or more")
        self.demand(self.balance >= 0, "balance", "0 or more")
        for name in ("generator_every", "discriminator_every"):
            self.demand(1 <= getattr(self, name) <= 10, name, "from 1 to 10")
        one = 1 in (self.generator_every, self.discriminator_every)
        self.demand(one, "discriminator_every", f"1 when --generator-every is {self.generator_every}")

    def policies(self):
        """Returns the names in `augment`, in order."""
        return [name.strip() for name in (self.augment or "").split(",") if name.strip()]

    def rules(self):
        """Returns the fields above as keyword arguments of an `AdversarialGame`."""
        return {
            "policies": self.policies(),
            "r1": self.r1,
            "generator_every": self.generator_every,
            "discriminator_every": self.discriminator_every,
            "balance": self.balance,
        }
