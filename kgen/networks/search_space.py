"""The search space of student report 002: autoencoders and the hyper-parameters of their training."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.Trial", amounts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Returns the fields of an autoencoder's recipe that an Optuna trial tries, `{field: value}`.

    There are two to four convolutions, of 4 channels up to 8, 16, 32 and 64. There are one to three hidden layers, of 8
    units up to 256, 128 and 64. With some of these plans images shrink to nothing. Amounts are searched only if the
    trial prunes.

    Args:
        trial: an `optuna.Trial`.
        amounts: names of the fields that say what share of the weights pruning sets to 0.

    Source: student report 002, section 2.2; layers are counted from 1, since only then the space has the report's
        result of 6, 12, 17 channels.
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
