"""Update rules decide, on the device and in every turn, whether a player may move. Most games have none."""

from kgen.backend import Tensor, tf


class UpdateRule:
    """Base of every update rule.

    Attributes:
        memory: how many float32 numbers the rule remembers from turn to turn, all 0 at first. The trainer stores them,
            so checkpoints have them, and a resumed run decides as an uninterrupted one.
    """

    memory = 0

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns `(allowed, memory)`: a boolean scalar tensor, and the new memory.

        Args:
            player: name of the player whose turn it is.
            values: what the turn returned, `{name: float32 scalar}`; the player's loss is under the player's name.
            step: steps played before this one, int64 scalar.
            memory: float32 `(self.memory,)`.
        """
        raise NotImplementedError("An update rule decides in allows() whether a player may move.")


class CriticFirst(UpdateRule):
    """Trains the critic for `critic_steps` before each of the first 25 generator steps, and before every 500th.

    A step of the game has `per_step` critic steps and at most one generator step. So the generator moves only in the
    last of `critic_steps // per_step` steps. The number of the step alone decides whether it moves.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, the authors' code (`Diters = 100` while `gen_iterations < 25` and
        where `gen_iterations % 500 == 0`).
    """

    first, period = 25, 500

    def __init__(self, critic_steps: int, per_step: int, generator: str = "generator") -> None:
        self.wait, self.generator = max(1, critic_steps // per_step), generator

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether the player may move in this step, a scalar, and the empty memory. The critic always may."""
        if player != self.generator or self.wait == 1:
            return tf.constant(True), memory
        # Generator steps 0 to 24 and every 500th take `wait` steps of the game each, all others take one.
        opening = self.first * self.wait
        later = opening + self.period - self.first
        place = tf.math.floormod(step - later, self.wait + self.period - 1)
        in_opening = tf.equal(tf.math.floormod(step, self.wait), self.wait - 1)
        in_period = tf.logical_or(step < later, place >= self.wait - 1)
        return tf.where(step < opening, in_opening, in_period), memory


class Balance(UpdateRule):
    """Keeps two losses close: a player rests while the other's mean loss is above its own by more than `tolerance`.

    Each player has a mean loss `L = 0.9 L + 0.1 loss`. A player rests while `L_other > (1 + tolerance) L_own`, but for
    at most `longest - 1` of its turns in a row. So the ratio of the players' updates is at most `longest`.

    Args:
        tolerance: above 0.
        shares: `{player: factor}` of the two players, by which losses are multiplied. It is 1/2 for a discriminator's
            loss that sums over real and generated images: a discriminator that cannot tell them apart and its generator
            then have equal losses.
        longest: greatest ratio of updates.

    Source: student report 002 adapts the intervals of the updates "so that the losses stay close" and gives no rule.
        This rule is ours.
    """

    memory = 4  # two mean losses, then two numbers of turns rested

    def __init__(self, tolerance: float, shares: dict[str, float], longest: int = 10) -> None:
        self.tolerance, self.shares, self.longest = tolerance, shares, longest

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether the player may move, a scalar, and the new memory.

        It may if the other's mean loss is not too far above its own, or if it has rested `longest - 1` turns.
        """
        own = list(self.shares).index(player)
        other, turns = 1 - own, 2 + own
        loss = values[player] * self.shares[player]
        mean = tf.where(memory[own] == 0, loss, 0.9 * memory[own] + 0.1 * loss)  # 0 means that it had no turn yet
        behind = memory[other] > (1 + self.tolerance) * mean
        allowed = tf.logical_or(tf.logical_not(behind), memory[turns] >= self.longest - 1)
        rested = tf.where(allowed, 0.0, memory[turns] + 1)
        return allowed, tf.tensor_scatter_nd_update(memory, [[own], [turns]], [mean, rested])


class Equilibrium(UpdateRule):
    """Lets the discriminator or the decoder rest if it is ahead of the other, by the costs of the discriminator.

    The two costs are the discriminator's mean cross-entropies on real and on generated images. Both are 0.69 nats if it
    cannot tell them apart. If either is below `centre - margin` the discriminator rests. If either is above
    `centre + margin` the decoder rests. If both would rest, both move. Other players always move. Nothing is
    remembered.

    Args:
        centre, margin: in nats.
        real, fake: names of the two costs in what the turn returns.
        players: names of the discriminator and the decoder.

    Source: andersbll/autoencoding_beyond_pixels, model/aegan.py (`equilibrium`, `margin`).
    """

    def __init__(
        self,
        centre: float = 0.68,
        margin: float = 0.35,
        real: str = "real_cost",
        fake: str = "fake_cost",
        players: tuple[str, ...] = ("discriminator", "decoder"),
    ) -> None:
        self.centre, self.margin, self.costs, self.players = centre, margin, (real, fake), players

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether the player may move, a scalar, by the costs in `values`; and the memory, which is empty."""
        if player not in self.players:
            return tf.constant(True), memory
        costs = tf.stack([values[name] for name in self.costs])
        rests = [tf.reduce_any(costs < self.centre - self.margin), tf.reduce_any(costs > self.centre + self.margin)]
        own = rests[self.players.index(player)]
        return tf.logical_or(tf.logical_not(own), tf.logical_and(*rests)), memory
