"""What a `.keras` file keeps of a trainer beside the weights of its networks."""

from pathlib import Path
from typing import Any

from kgen.backend import keras
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.training.model import players
from kgen.training.model.measures import Measures
from kgen.training.model.origin import Origin


class SavedTrainer(BaseTrainer):
    """A trainer that Keras can save and load whole: with optimizers, averages, step, seeds and metrics."""

    def save(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Writes the model as a `.keras` file; raises UsageError for another ending."""
        if Path(filepath).suffix != ".keras":
            raise UsageError(f"save() writes a file that ends in .keras, not {filepath}; export() writes a SavedModel.")
        super().save(filepath, *args, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what a saved model is compiled with: the optimizers and the loss that `compile` was given."""
        return {
            "optimizers": dict(self.given_optimizers),
            "loss": players.loss_of(self.game),
            "measures": self.measures.get_config(),
            "jit_compile": bool(self.jit_compile),
            "steps_per_execution": int(self.steps_per_execution),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was compiled."""
        found = {name: keras.saving.deserialize_keras_object(each) for name, each in config["optimizers"].items()}
        others = {name: value for name, value in config.items() if name not in ("optimizers", "measures")}
        asked = Measures.from_config(config["measures"])
        self.compile(**asked, **others, **{f"{name}{players.SUFFIX}": each for name, each in found.items()})

    def get_config(self) -> dict[str, Any]:
        """Returns what the model is made of; raises UsageError for a game made by hand."""
        if self.origin is None:
            raise UsageError(
                "A trainer of a game made by hand cannot be saved as a whole: make it by kgen.create(), or save its "
                "weights with save_weights()."
            )
        return self.origin.get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SavedTrainer":
        """Returns the model that `get_config` described, with new weights."""
        origin = Origin.from_config(config)
        return origin.build(cls, origin.black())

    def export(self, filepath: str | Path, format: str = "tf_saved_model", **_: Any) -> None:
        """Writes a SavedModel with kgen's signatures, which TensorFlow Serving loads and `kgen.load` opens."""
        if format != "tf_saved_model":
            raise UsageError(f"export() writes a tf_saved_model, not {format}: see kgen export --format.")
        saved_model.write(self.best_game(), filepath)

    def _seeds(self) -> "list[keras.Variable]":
        """Returns the states of Keras's random layers, such as Dropout, which Keras does not save."""
        known = {id(variable) for variable in [*self.weights, *self.metrics_variables]}
        return [variable for variable in self.variables if id(variable) not in known]

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables that are not those of networks and optimizers: step, means, seeds."""
        super().save_own_variables(store)
        for number, variable in enumerate(self._seeds()):
            store[f"seed_{number}"] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads what `save_own_variables` wrote."""
        for number, variable in enumerate(self._seeds()):
            variable.assign(store[f"seed_{number}"])
        super().load_own_variables({name: store[name] for name in store.keys() if not name.startswith("seed_")})
