"""A trainer plays a game. It has the only training step of the package.

It also does what Keras leaves to custom models: building, names of optimizers, seeds, scaling over replicas, loss
scaling, means, moving averages, and noting the first NaN.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import Tensor, keras, replicas, tf
from kgen.core import gradients, rates
from kgen.core.copies import assign_all, frozen_copy
from kgen.core.epoch_means import VectorMean
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.core.game import Game


class BaseTrainer(keras.Model):
    """Plays a game with `fit(steps)`; one `train_step` is one step.

    Args:
        game: a `kgen.core.game.Game`.
        seed: integer; together with the number of the step it determines every random draw.
        ema: decay of the moving average of the exported networks, in [0, 1); 0 keeps none. At update t it is
            `min(ema, (1 + t) / (10 + t))`, as in `tf.train.ExponentialMovingAverage`: early averages forget faster.
        keep_best: whether to keep, and later export, the networks as they were when `keep_if_best` got the least loss.
            With `ema` these are the averaged networks.

    Attributes:
        step: how many steps have been played.
        names: of the logged values, in order. Every player has `<player>_loss` and `<player>_gradient_norm`; with an
            update rule also `<player>_moves`, the share of its turns in which it moved. The game's reports follow.
        wait: how many losses that count `keep_if_best` was given since the least one.
    """

    def __init__(self, game: "Game", seed: int = 0, ema: float = 0.0, keep_best: bool = False) -> None:
        super().__init__(name="trainer")
        self.game, self.kept, self.seed, self.ema = game, game.kept, seed, ema
        self._turns = {}  # traced turns, made anew by compile()
        self.numbers = "{}"  # of the recipe, as JSON, which a checkpoint of this trainer must have too
        self.traces = 0  # how often train_step was traced; more than once makes steps slow
        self.played = []  # names of logged values, in the order in which a step computes them
        self.rate_factor = self._counter("rate_factor", (), initializer="ones")
        for name, player in game.players.items():  # as attributes, since Keras saves dicts and lists by position
            player.optimizer.build(player.network.trainable_variables)
            rates.attach(player.optimizer, self.rate_factor)
            setattr(self, name, player.network)
            setattr(self, f"{name}_optimizer", player.optimizer)
        self.averages = {name: frozen_copy(getattr(game, name)) for name in game.exported if ema}
        self.best = {name: frozen_copy(getattr(game, name)) for name in game.exported if keep_best}
        if game.fixed_images_shape:
            self.examples = replicas.undistributed(self._counter, "examples", game.fixed_images_shape, "uint8")
            game.examples = self.examples
        self._best_game = game.with_networks(self.best or self.averages)
        kinds = ["loss", "gradient_norm"] + ["moves"] * (game.update_rule is not None)
        self.names = [f"{name}_{kind}" for kind in kinds for name in game.players] + list(game.reports)
        self.step = self._counter("step", (), "int64")
        self.steps_summed = self._counter("steps_summed", ())
        self.sums = self._counter("sums", (len(self.names),))
        self.first_fault = self._counter(
            "first_fault", (len(self.names),), "int64", initializer=keras.initializers.Constant(-1)
        )
        self.epoch_means = VectorMean(len(self.names), name="epoch_means")  # Keras resets it when an epoch begins
        self.memory = self._counter("memory", (game.update_rule.memory if game.update_rule else 0,))
        if keep_best:
            self.best_loss = self._counter("best_loss", (), "float64")
            self.best_step = self._counter("best_step", (), "int64", keras.initializers.Constant(-1))
            self.wait = self._counter("wait", (), "int64")
        self.built = True  # a model that is never called counts as unbuilt, and then cannot be fitted or saved

    def _counter(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str = "float32",
        initializer: "keras.initializers.Initializer | str" = "zeros",
    ) -> "keras.Variable":
        how = {"trainable": False, "aggregation": "only_first_replica"}  # all replicas assign the same
        return self.add_weight(name=name, shape=shape, dtype=dtype, initializer=initializer, **how)

    def compile(self, jit_compile: bool = False, steps_per_execution: int = 1, run_eagerly: bool = False) -> None:
        """Prepares `fit`. Arguments are those of `keras.Model.compile`; optimizers and losses come from the players."""
        self._turns = {}
        for player in self.game.players.values():  # a step sums gradients over replicas before it looks at them
            player.optimizer._all_reduce_sum_gradients = list
        super().compile(  # without optimizer=None Keras attaches a RMSprop that learning-rate callbacks would change
            optimizer=None,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )

    def fit(self, x: Any, *args: Any, steps_per_epoch: int | None = None, **kwargs: Any) -> "keras.callbacks.History":
        """Trains as `keras.Model.fit`. Replicas each take their part of the batches of a `tf.data.Dataset` of steps."""
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync > 1 and isinstance(x, tf.data.Dataset):
            count = int(x.cardinality())
            steps_per_epoch = steps_per_epoch or (count if count >= 0 else None)
            x = replicas.share_out(x, strategy)
        return super().fit(x, *args, steps_per_epoch=steps_per_epoch, **kwargs)

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: all variables are there, and Keras would read images to call the model."""

    def train_step(self, data: Tensor | tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Plays every turn of one step on images `(batches, batch, ...)`, then updates means and moving averages."""
        self.traces += 1
        with tf.control_dependencies(tf.nest.flatten(data)):  # else a step is counted for which there are no images
            return self._played(data)

    def _played(self, data: Tensor | tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        rng = Rng(self.seed).fold_in(self.step, 0)
        values = {name: [] for name in self.names}
        batches = self.game.receive(replicas.of_known_size(data, self.game.batches))
        for number, (turn, batch) in enumerate(self.game.play(batches)):
            for name, value in self._traced(turn)(batch, rng.fold_in(number).seed).items():
                values[name].append(value)
            self.played.extend(name for name in self.names if values[name] and name not in self.played)
        means = [tf.add_n(values[name]) / len(values[name]) for name in self.names]
        self._record(tf.stack(means))
        self._move_averages()
        self.step.assign_add(1)
        self.epoch_means.update_state(tf.stack(means))
        logs = self.epoch_means.result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            logs = logs[:, None]  # Keras takes means of logs of several workers along an axis
        return dict(zip(self.names, tf.unstack(logs), strict=True))

    def _traced(self, turn: Callable) -> Callable:
        """Returns `function(batch, seed)` that plays a turn. A turn that a step repeats is traced only once."""

        def take(batch: Tensor, seed: int) -> dict[str, Tensor]:
            with Rng(seed):
                return self._take(turn, batch)

        if self.run_eagerly or self.distribute_strategy.num_replicas_in_sync > 1:  # merge_call fails in a nested one
            return take
        # Not inlined, since TensorFlow would optimise the graph of every repetition separately.
        once = {"_noinline": True}
        traced = tf.function(take, autograph=False, experimental_attributes=once)
        return self._turns.setdefault(turn.__name__, traced)

    def _take(self, turn: Callable, batch: Tensor) -> dict[str, Tensor]:
        """Plays one turn: the forward pass, then the named players move together. Returns what is to be logged.

        Values and gradients are those of the whole batch, so replicas log, decide and move alike.
        """
        players = self.game.players
        with tf.GradientTape(persistent=True) as tape:  # a graph computes only what the movers need
            values = {name: tf.cast(value, tf.float32) for name, value in turn(batch).items()}
            movers = [name for name in values if name in players]
            # Gradients are summed over replicas, so each loss is divided by their number. Logged losses are not.
            losses = {name: (values[name] + gradients.decay(players[name])) / replicas.count() for name in movers}
            losses = {name: players[name].optimizer.scale_loss(loss) for name, loss in losses.items()}
        weights = {name: players[name].network.trainable_variables for name in movers}
        found = {name: gradients.summed(tape.gradient(losses[name], weights[name])) for name in movers}
        values = replicas.mean(values)
        logged = {name: value for name, value in values.items() if name not in players}
        for name in movers:
            logged[f"{name}_loss"] = values[name]
            scale = players[name].optimizer.scale_loss(tf.constant(1.0))
            logged[f"{name}_gradient_norm"] = tf.linalg.global_norm(found[name]) / scale
            if self.game.update_rule is None:
                self.game.move(name, found[name])
            else:
                logged[f"{name}_moves"] = self._move_if_allowed(name, values, found[name])
        return logged

    def _move_if_allowed(self, name: str, values: dict[str, Tensor], found: list[Tensor]) -> Tensor:
        """Asks the update rule; returns 1 if the player moved, else 0."""
        allowed, memory = self.game.update_rule.allows(name, values, self.step.value, self.memory.value)
        self.memory.assign(memory)
        return replicas.run_if(allowed, self.game.move, name, found)

    def _record(self, means: Tensor) -> None:
        self.sums.assign(self.sums + means)
        self.steps_summed.assign_add(1.0)
        fault = self.first_fault.value
        new = tf.logical_and(fault < 0, tf.logical_not(tf.math.is_finite(means)))
        self.first_fault.assign(tf.where(new, self.step.value, fault))

    def _move_averages(self) -> None:
        played = tf.cast(self.step.value, tf.float32)
        share = 1.0 - tf.minimum(self.ema, (1.0 + played) / (10.0 + played))
        for name, average in self.averages.items():
            for mean, live in zip(average.variables, getattr(self, name).variables, strict=True):
                # Batch-norm statistics belong to the weights, so they are averaged too.
                mean.assign(mean + share * (live - mean) if "float" in mean.dtype else live)

    def means(self) -> dict[str, float]:
        """Returns `{name: mean since take_means()}`; 0 if no step was played since."""
        means = self.sums.numpy() / max(float(self.steps_summed.numpy()), 1.0)
        return {name: float(mean) for name, mean in zip(self.names, means, strict=True)}

    def take_means(self) -> dict[str, float]:
        """Returns `means()` and resets them."""
        means = self.means()
        self.sums.assign(tf.zeros_like(self.sums.value))
        self.steps_summed.assign(0.0)
        return means

    def faults(self) -> dict:
        """Returns `{name: first step}` of each value that was ever NaN or infinite; steps are counted from 1.

        They are in the order in which they failed: by step, and in a step as the turns compute them.
        """
        found = {
            name: int(step) + 1 for name, step in zip(self.names, self.first_fault.numpy(), strict=True) if step >= 0
        }
        return dict(sorted(found.items(), key=lambda fault: (fault[1], self.played.index(fault[0]))))

    def best_game(self) -> "Game":
        """Returns the game to sample from and to export. It has the best or the averaged networks if they are kept."""
        return self._best_game

    def current_game(self) -> "Game":
        """Returns the game as it is now, with averaged networks if they are kept. `keep_if_best` keeps its networks."""
        return self.game.with_networks(self.averages) if self.averages else self.game

    def keep_if_best(self, loss: float, counts: bool = True) -> bool:
        """Keeps the networks of `current_game()` if `loss` is the least so far. Returns whether it is; NaN never is.

        Args:
            loss: a number.
            counts: whether a loss that is not the least adds 1 to `wait`, which patience looks at.
        """
        better = np.isfinite(loss) and (int(self.best_step.numpy()) < 0 or loss < float(self.best_loss.numpy()))
        if better:
            self.best_loss.assign(loss)
            self.best_step.assign(self.step)
            for name, best in self.best.items():
                assign_all(best, getattr(self.current_game(), name))
        self.wait.assign(0 if better else self.wait + int(counts))
        return better

    def show(self, pictures: np.ndarray) -> None:
        """Sets the game's fixed images to the first of `pictures`, uint8 `(n, ...)`. Too few are repeated."""
        if self.game.fixed_images_shape:
            self.examples.assign(np.resize(pictures[: self.examples.shape[0]], self.examples.shape))

    def start_from(self, other: "Game") -> None:
        """Sets the weights to those of another game's networks, also in the averaged and the best networks."""
        self.game.start_from(other)
        for copies in (self.averages, self.best):
            for name, network in copies.items():
                assign_all(network, getattr(self.game, name))
