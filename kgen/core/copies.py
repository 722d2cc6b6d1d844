"""Copies of networks: moving averages, and the best weights so far."""

from kgen.backend import keras
from kgen.errors import UsageError


def frozen_copy(network: "keras.Model") -> "keras.Model":
    """Returns a copy of a built network whose weights are equal and not trainable.

    Args:
        network: a functional or sequential model, or a subclass of `keras.Model` whose `get_config` is complete.

    Raises:
        UsageError: Keras cannot make a network of this one's configuration.
    """
    copy = same_layers(network)
    copy.trainable = False
    assign_all(copy, network)
    return copy


def same_layers(network: "keras.Model") -> "keras.Model":
    """Returns a network of the same configuration, with weights of its own; raises UsageError if Keras cannot."""
    try:
        if not is_subclassed(network):
            return keras.models.clone_model(network)
        copy = type(network).from_config(network.get_config())
        copy.build_from_config(network.get_build_config())
        if [v.shape for v in copy.variables] != [v.shape for v in network.variables]:
            raise ValueError("the copy has other weights")
    except Exception as error:  # whatever a user's constructor raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UsageError(
            f"The network {network.name} cannot be copied, which --ema, --best-by and --folds need: {reason}. Give "
            f"{type(network).__name__} a get_config() with all arguments of its constructor, and a build() that makes "
            "all weights, or leave these flags out."
        ) from None
    return copy


def is_subclassed(network: "keras.Model") -> bool:
    """Returns whether a network is neither a functional nor a sequential model."""
    return not isinstance(network, keras.Sequential) and not hasattr(network, "operations")


def assign_all(target: "keras.Model", source: "keras.Model") -> None:
    """Sets the variables of a network to those of the network that it is a copy of."""
    for mine, theirs in zip(target.variables, source.variables, strict=True):
        mine.assign(theirs)
