"""Regularisation of a discriminator of images: augmentation of what it sees, penalties on what it says.

Each is a flag of every recipe whose game is a `RegularisedGame`. What must be remembered from step to step, averages
and a probability, are layers in `Game.kept`, so checkpoints have it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kgen import layers
from kgen.augmentation.diffaugment import POLICIES, augment
from kgen.backend import Tensor
from kgen.core.game import Game
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.losses import penalties

if TYPE_CHECKING:
    from kgen.core.game import Player
    from kgen.images import Range
    from kgen.losses.adversarial import AdversarialLoss


class Discriminated(NamedTuple):
    """Images, and what the discriminator said of them in training.

    Args:
        images: `(batch, height, width, channels)`.
        logits: one for each image, `(batch, 1)` or `(batch,)`.
        given: what the discriminator was given besides, such as `(labels,)`.
    """

    images: Tensor
    logits: Tensor
    given: tuple = ()


class RegularisedGame(Game):
    """A game with a discriminator of images that can be regularised.

    Args:
        players: `{name: player}`.
        loss: the `kgen.losses.adversarial.AdversarialLoss`; None for a game that has its own.
        image_range: values of the images, a `kgen.images.Range`.
        policies, r1, lecam, bcr_real, bcr_fake, ada: the flags of `RegularisedRecipe`.

    Raises:
        UsageError: `ada` with a loss of a critic, whose outputs do not say which images it takes for real.

    Class attributes:
        discriminator_name: name of the discriminator as a player, such as `critic`.
    """

    discriminator_name = "discriminator"

    def __init__(
        self,
        players: "dict[str, Player]",
        loss: "AdversarialLoss | None",
        image_range: "Range",
        *,
        policies: list[str] = (),
        r1: float = 0.0,
        lecam: float = 0.0,
        bcr_real: float = 0.0,
        bcr_fake: float = 0.0,
        ada: float = 0.0,
    ) -> None:
        super().__init__(**players)
        if ada and loss:
            demand_score(loss)
        self.loss, self.range = loss, image_range
        self.policies, self.compared = ([], policies) if bcr_real or bcr_fake else (policies, [])
        weights = {"r1": r1, "lecam": lecam, "bcr_real": bcr_real, "bcr_fake": bcr_fake}
        self.penalties = {name: weight for name, weight in weights.items() if weight}
        self.kept = {
            **({"averages": layers.PredictionAverages(name="averages")} if lecam else {}),
            **({"adaptive": layers.AugmentationProbability(ada, name="adaptive")} if ada else {}),
        }
        self.reports = (*self.reports, *self.penalties, *(["augment_probability"] if ada else []))

    def seen(self, batch: Tensor) -> Tensor:
        """Returns images `(batch, height, width, channels)` as the discriminator sees them, augmented."""
        probability = self.kept["adaptive"].probability if "adaptive" in self.kept else None
        return augment(batch, self.policies, self.range, probability)

    def discriminate(self, batch: Tensor, training: bool = True) -> Tensor:
        """Returns the logits `(batch, 1)` of images, which are first augmented by the policies."""
        return self.players[self.discriminator_name].network(self.seen(batch), training=training)

    def logit(self, batch: Tensor, *given: Tensor, training: bool = True) -> Tensor:
        """Returns one logit for each image, `(batch, 1)` or `(batch,)`, above 0 if real by the loss's usual scale.

        A game whose `discriminate` returns more says here which of its outputs that is.
        """
        return self.discriminate(batch, *given, training=training)

    def centred_scores(self, logits: Tensor) -> Tensor:
        """Returns `(batch, ...)`, above 0 where the discriminator takes an image for real, of what `logit` returned."""
        demand_score(self.loss)  # once more, since compile() may have given another loss
        return self.loss.score(logits) - 0.5

    def regularised(self, values: dict[str, Tensor], real: Discriminated, fake: Discriminated) -> dict[str, Tensor]:
        """Returns the discriminator's `values`, scalars, with the penalties added and to be logged.

        R1 takes the gradient of the discriminator at inference. In training, batch norm uses the statistics of the
        batch, so the gradient at one image would depend on the other images.

        Args:
            values: `{name: scalar}`.
            real: the batch's images.
            fake: generated images.
        """
        found = {name: self.penalty(name, real, fake) for name in self.penalties}
        loss = sum((weight * found[name] for name, weight in self.penalties.items()), values[self.discriminator_name])
        if "adaptive" in self.kept:
            found["augment_probability"] = self.kept["adaptive"].update(self.centred_scores(real.logits))
        return {**values, self.discriminator_name: loss, **found}

    def penalty(self, name: str, real: Discriminated, fake: Discriminated) -> Tensor:
        """Returns the penalty of this name, a scalar, without its weight."""
        terms: dict[str, Callable] = {
            "r1": lambda: penalties.r1(lambda seen: self.logit(seen, *real.given, training=False), real.images),
            "lecam": lambda: penalties.lecam(
                real.logits, fake.logits, *self.kept["averages"].update(real.logits, fake.logits)
            ),
            "bcr_real": lambda: self.inconsistency(real),
            "bcr_fake": lambda: self.inconsistency(fake),
        }
        return terms[name]()

    def inconsistency(self, discriminated: Discriminated) -> Tensor:
        """Returns `E[(D(x) - D(T(x)))^2]`, a scalar, where T are the policies."""
        changed = augment(discriminated.images, self.compared, self.range)
        return penalties.squared_distance(discriminated.logits, self.logit(changed, *discriminated.given))


def demand_score(loss: "AdversarialLoss") -> None:
    """Raises UsageError for the loss of a critic, whose outputs do not say which images it takes for real."""
    if not loss.score:
        raise UsageError("--ada must be 0: the outputs of this loss do not say which images are taken for real.")


@dataclass(frozen=True, kw_only=True)
class RegularisedRecipe(Recipe):
    """Flags of every game with a discriminator of images that can be regularised."""

    augment: str | None = None  # DiffAugment policies for the discriminator: color, translation, cutout, with commas.
    r1: float = 0.0  # Weight gamma of the R1 penalty: the discriminator's gradient at real images; 0 is none.
    lecam: float = 0.0  # Weight of the LeCam penalty on the discriminator's outputs, for little data; 0 is none.
    bcr_real: float = 0.0  # Weight of D(x) = D(T(x)) on real images, T by --augment, which nothing else then uses.
    bcr_fake: float = 0.0  # The same on generated images; the paper has 10 for both.
    ada: float = 0.0  # Overfitting to be kept by adapting how often --augment acts, .6 in the paper; 0 acts always.

    def __post_init__(self) -> None:
        super().__post_init__()
        named = self.augment is None or (self.policies() and set(self.policies()) <= set(POLICIES))
        self.demand(named, "augment", f"some of {', '.join(POLICIES)}, separated by commas")
        for name in ("r1", "lecam", "bcr_real", "bcr_fake"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        self.demand(0 <= self.ada < 1, "ada", "at least 0 and below 1")
        consistent = bool(self.bcr_real or self.bcr_fake)
        self.demand(
            self.augment or not (consistent or self.ada), "augment", "given with --bcr-real, --bcr-fake or --ada"
        )
        self.demand(
            not (consistent and self.ada), "ada", "0 with --bcr-real and --bcr-fake, which show D no other images"
        )

    def policies(self) -> list[str]:
        """Returns the names in `augment`, in order."""
        return [name.strip() for name in (self.augment or "").split(",") if name.strip()]

    def rules(self) -> dict[str, Any]:
        """Returns the fields above as keyword arguments of a `RegularisedGame`."""
        names = ("r1", "lecam", "bcr_real", "bcr_fake", "ada")
        return {"policies": self.policies(), **{name: getattr(self, name) for name in names}}
