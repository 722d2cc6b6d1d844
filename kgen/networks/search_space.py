"""The space of autoencoders and of their training that student report 002 searched."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.Trial", amounts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Returns `{field: value}` of an autoencoder's recipe that an Optuna trial tries.

    Two to four convolutions with 4 to 8, 16, 32, 64 channels, one to three hidden layers with 8 to 256, 128, 64 units;
    not every such plan leaves something of an image. Amounts are searched only where there is pruning.

    Args:
        trial: an `optuna.Trial`.
        amounts: names of the fields that hold how much a pruning zeroes.

    Source: student report 002, section 2.2; layers are counted from 1, as its 6, 12, 17 channels demand.
    """
    prunes = trial.suggest_categorical("prunes", (False, True))
    return {
        **architecture(trial),
        "encoder_dropout": trial.suggest_float("encoder_dropout", 0.0, 0.7),
        "latent_dim": trial.suggest_int("latent_dim", 1, 16),
        "learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True),
        "l2": trial.suggest_float("l2", 1e-7, 1e-1, log=True),
        "batch_size": trial.suggest_int("batch_size", 64, 512),
        "patience": trial.suggest_int("patience", 4, 16),
        "prune_every": trial.suggest_int("prune_every", 1, 10) if prunes else 0,
        **{name: trial.suggest_float(name, 0.0, 0.5) if prunes else 0.0 for name in amounts},
    }


def architecture(trial: "optuna.Trial") -> dict[str, Any]:
    """Returns the fields of `kgen.networks.conv_autoencoder.Plan` that an Optuna trial tries."""
    convolutions = range(1, trial.suggest_int("convolutions", 2, 4) + 1)
    hidden = range(1, trial.suggest_int("hidden_layers", 1, 3) + 1)
    kernels = [trial.suggest_int(f"kernel_{j}", 2, 6) for j in convolutions]
    return {
        "channels": tuple(trial.suggest_int(f"channels_{j}", 4, 4 * 2**j) for j in convolutions),
        "kernels": tuple(kernels),
        "strides": tuple(trial.suggest_int(f"stride_{j}", 1, 4) for j in convolutions),
        "paddings": tuple(trial.suggest_int(f"padding_{j}", 0, kernels[j - 1] // 2) for j in convolutions),
        "units": tuple(trial.suggest_int(f"units_{j}", 8, 512 // 2**j) for j in hidden),
    }
