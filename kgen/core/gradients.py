"""Gradients of a player's loss as optimizers and norms need them: dense, of the whole batch, with weight decay."""

from typing import TYPE_CHECKING

from kgen.backend import Tensor, replicas, tf

if TYPE_CHECKING:
    from kgen.core.game import Player


def summed(gradients: list) -> list[Tensor]:
    """Returns gradients as dense tensors of the weights' shapes, summed over replicas; None stays None.

    An embedding's gradient has a row for each use of a vector; a norm or Adam's second moment would not sum them.
    """
    dense = {i: tf.convert_to_tensor(gradient) for i, gradient in enumerate(gradients) if gradient is not None}
    dense = replicas.summed(dense)
    return [dense.get(i) for i in range(len(gradients))]


def decay(player: "Player") -> Tensor:
    """Returns the scalar loss whose gradient is `l2 * weight`, or 0."""
    return player.l2 * tf.add_n([tf.nn.l2_loss(w) for w in player.network.trainable_variables]) if player.l2 else 0.0
