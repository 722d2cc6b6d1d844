"""Update rules decide, on the device and in every turn, whether a player may move. Most games have none."""

from kgen.backend import Tensor, tf


class UpdateRule:
    """Base of every update_rule.

    Attributes:
        memory: how many float32 numbers it remembers from turn to turn, all 0 at first. The trainer keeps them, so that
            checkpoints hold them and a resumed run decides as the interrupted one would have.
    """

    memory = 0

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns `(allowed, memory)`: a boolean scalar tensor, and the new memory.

        Args:
            player: name of the player whose turn it is.
            values: what the turn returned, `{name: float32 scalar}`: that player's loss under its name.
            step: steps played before this one, int64 scalar.
            memory: float32 `(self.memory,)`.
        """
        raise NotImplementedError("An update rule decides in allows() whether a player may move.")


class CriticFirst(UpdateRule):
    """Gives the critic a lead: `critic_steps` of them before each of the first 25 generator steps and every 500th.

    A step has `per_step` critic steps and at most one of the generator, so the generator waits for
    `critic_steps // per_step` steps. Which steps are its own is a function of the step's number.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, the authors' code (`Diters = 100` while `gen_iterations < 25` and
        where `gen_iterations % 500 == 0`).
    """

    first, period = 25, 500

    def __init__(self, critic_steps: int, per_step: int, generator: str = "generator") -> None:
        self.wait, self.generator = max(1, critic_steps // per_step), generator

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether the player may move in this step, a scalar; the critic always may. Nothing is remembered."""
        if player != self.generator or self.wait == 1:
            return tf.constant(True), memory
        # Generator steps 0 to 24 take `wait` steps each, 25 to 499 one; then each 500 begin with one of `wait` steps.
        opening = self.first * self.wait
        later = opening + self.period - self.first
        place = tf.math.floormod(step - later, self.wait + self.period - 1)
        in_opening = tf.equal(tf.math.floormod(step, self.wait), self.wait - 1)
        in_period = tf.logical_or(step < later, place >= self.wait - 1)
        return tf.where(step < opening, in_opening, in_period), memory


class Balance(UpdateRule):
    """Keeps two losses close: a player rests while the other's mean loss is above its own by more than `tolerance`.

    `L = 0.9 L + 0.1 loss` for each player; one rests while `L_other > (1 + tolerance) L_own`, but never for more than
    `longest - 1` of its turns on end, so that update ratios stay within 1 : longest.

    Args:
        tolerance: above 0.
        shares: `{player: factor}` of the two players; a discriminator's loss that is a sum over real and generated
            images counts half, so that an undecided discriminator and its generator have equal losses.
        longest: greatest ratio of updates.

    Source: student report 002, which adapts the intervals of the updates "so that the losses stay close" and gives no
        rule; this one is ours.
    """

    memory = 4  # mean losses, then turns rested

    def __init__(self, tolerance: float, shares: dict[str, float], longest: int = 10) -> None:
        self.tolerance, self.shares, self.longest = tolerance, shares, longest

    def allows(self, player: str, values: dict[str, Tensor], step: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether the player may move, a scalar: the other's mean loss is not far above, or it rested long."""
        own = list(self.shares).index(player)
        other, turns = 1 - own, 2 + own
        loss = values[player] * self.shares[player]
        mean = tf.where(memory[own] == 0, loss, 0.9 * memory[own] + 0.1 * loss)  # 0: it had no turn yet
        behind = memory[other] > (1 + self.tolerance) * mean
        allowed = tf.logical_or(tf.logical_not(behind), memory[turns] >= self.longest - 1)
        rested = tf.where(allowed, 0.0, memory[turns] + 1)
        return allowed, tf.tensor_scatter_nd_update(memory, [[own], [turns]], [mean, rested])


class Equilibrium(UpdateRule):
    """Holds back the discriminator or the decoder, whichever is ahead, by the discriminator's costs on two kinds.

    The costs are its mean cross-entropies on real and on generated images, 0.69 nats where it cannot tell. If either is
    below `centre - margin` the discriminator rests; if either is above `centre + margin` the decoder rests; if both
    would rest, both move. Who is neither of the two always moves. Nothing is remembered.

    Args:
        centre, margin: in nats.
        real, fake: names of the costs among what the turn returns.
        discriminator, decoder: names of the players.

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
        """Returns whether the player may move, a scalar: by the costs in `values` it is not ahead, or both are."""
        if player not in self.players:
            return tf.constant(True), memory
        costs = tf.stack([values[name] for name in self.costs])
        rests = [tf.reduce_any(costs < self.centre - self.margin), tf.reduce_any(costs > self.centre + self.margin)]
        own = rests[self.players.index(player)]
        return tf.logical_or(tf.logical_not(own), tf.logical_and(*rests)), memory
