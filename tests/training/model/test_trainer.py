"""The gestures of Keras users on models of five kinds. Each is written as one would write it for a Keras model."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen
from kgen.callbacks import ForPlayer
from kgen.errors import UsageError
from tests.helpers import keras_models
from tests.helpers.keras_models import MODELS, PIXELS, gan, networks, same

C = keras.callbacks
KINDS = [pytest.param(name, marks=[] if name == "gan" else [pytest.mark.slow]) for name in MODELS]


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    """A model after an epoch, its images, whether it has an encoder, and what `fit` returned."""
    make, images = MODELS[request.param]
    model = make()
    history = model.fit(images, batch_size=8, verbose=0)
    return model, images, "encoder" in "".join(model.game.exported) + request.param.replace("acai", "encoder"), history


def test_fit_returns_a_history(trained):
    model, _, _, history = trained
    assert isinstance(history, C.History)
    assert {f"{name}_loss" for name in model.game.players} | {"loss", "images_per_second"} <= set(history.history)
    assert history.history["loss"][0] == pytest.approx(
        sum(history.history[f"{name}_loss"][0] for name in model.game.players), rel=1e-5
    )


def test_training_changes_what_is_shown(trained):
    model, images, encodes, _ = trained
    before = model.reconstruct(images[:4]) if encodes else model.sample(4, seed=1)
    model.fit(images, batch_size=8, verbose=0)
    after = model.reconstruct(images[:4]) if encodes else model.sample(4, seed=1)
    assert (before != after).any()


def test_summary_counts_every_network(trained, capsys):
    trained[0].summary(print_fn=print)
    assert "Optimizer params" in capsys.readouterr().out


def test_the_stock_callbacks(trained, tmp_path):
    model, images, _, _ = trained
    rates = [float(each.learning_rate) for each in model.optimizer.optimizers]
    fixed = all(isinstance(each._learning_rate, keras.Variable) for each in model.optimizer.optimizers)
    if not fixed:  # Keras's callbacks cannot change a schedule
        model.compile(optimizer=keras.optimizers.RMSprop(1e-4))
        rates = [float(each.learning_rate) for each in model.optimizer.optimizers]
    monitor = "val_loss" if "val_loss" in logs_of(model, images) else "val_mmd"
    callbacks = [
        C.EarlyStopping(monitor, patience=5),
        C.LearningRateScheduler(lambda epoch, rate: rate / 2),
        C.ReduceLROnPlateau(monitor, patience=0, min_delta=1e6, factor=0.5),
        C.ModelCheckpoint(tmp_path / "weights.weights.h5", save_weights_only=True, monitor="loss", save_best_only=True),
        C.ModelCheckpoint(tmp_path / "whole.keras"),
        C.BackupAndRestore(tmp_path / "backup"),
        C.TensorBoard(tmp_path / "logs"),
        C.CSVLogger(tmp_path / "log.csv"),
        C.TerminateOnNaN(),
        C.ProgbarLogger(),
    ]
    history = model.fit(images, batch_size=8, epochs=2, validation_data=images[:16], callbacks=callbacks, verbose=0)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [float(row["loss"]) for row in rows] == pytest.approx(history.history["loss"])
    assert list((tmp_path / "logs").rglob("events.*"))
    # Halved by the scheduler in both epochs, by the plateau in the second.
    assert [float(each.learning_rate) for each in model.optimizer.optimizers] == pytest.approx(
        [rate / 8 for rate in rates]
    )
    assert same(kgen.load_model(tmp_path / "whole.keras"), model)
    other = MODELS_BY_GAME[type(model.game).__name__]()
    other.load_weights(tmp_path / "weights.weights.h5")
    assert int(other.step.numpy()) > 0


MODELS_BY_GAME = {
    "GAN": keras_models.gan,
    "WGANGP": keras_models.wgan_gp,
    "ACAI": keras_models.acai,
    "VAEGAN": keras_models.vae_gan,
    "Autoencoder": keras_models.autoencoder,
}


def logs_of(model, images):
    return {f"val_{name}" for name in model.evaluate(images[:16], return_dict=True)}


def test_evaluate(trained):
    model, images, encodes, _ = trained
    found = model.evaluate(images[:16], return_dict=True)
    assert list(found.values()) == model.evaluate(images[:16]) or [model.evaluate(images[:16])] == list(found.values())
    if encodes and "squared_error" in found:
        error = np.mean((model.reconstruct(images[:16]) - images[:16] / 255.0) ** 2)
        assert found["loss"] == pytest.approx(error, rel=1e-5)
    assert all(np.isfinite(value) for value in found.values())


def test_predict_and_call_are_the_exported_networks(trained):
    model, images, encodes, _ = trained
    if encodes:
        made = model.predict(images[:5], verbose=0)
        low, high = model.image_range
        assert (np.clip(made, low, high) - low) / (high - low) == pytest.approx(model.reconstruct(images[:5]), abs=1e-5)
        assert model.decode(model.encode(images[:5])) == pytest.approx(model.reconstruct(images[:5]), abs=1e-5)
        return
    noise = np.random.default_rng(1).standard_normal((5, model.game.prior.size), np.float32)
    assert model.predict(noise, verbose=0) == pytest.approx(np.asarray(model(noise)), abs=1e-5)
    assert np.asarray(model(noise)) == pytest.approx(
        np.asarray(model.best_game().generator(noise, training=False)), abs=1e-6
    )


def test_export_answers_as_the_model_does(trained, tmp_path):
    model, images, encodes, _ = trained
    model.export(tmp_path / "export")
    opened = kgen.load(tmp_path / "export")
    if encodes:
        assert (opened.autoencoder.encode(images[:3]) == model.encode(images[:3])).all()
    else:
        assert (opened.generator.draw(5, 3) == model.sample(3, seed=5)).all()


def test_going_on_after_loading_equals_never_having_stopped(trained, tmp_path):
    model, images, _, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = kgen.load_model(tmp_path / "model.keras")
    histories = [each.fit(images, batch_size=8, epochs=2, initial_epoch=1, verbose=0) for each in (model, loaded)]
    assert same(model, loaded)
    assert histories[0].history["loss"] == histories[1].history["loss"]


def floats(images):
    return (images / 127.5 - 1).astype(np.float32)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, number):
        return PIXELS[8 * number : 8 * number + 8]


SOURCES = {
    "uint8": lambda: {"x": PIXELS, "batch_size": 8},
    "float": lambda: {"x": floats(PIXELS), "batch_size": 8},
    "without channels": lambda: {"x": PIXELS[..., 0], "batch_size": 8},
    "in order": lambda: {"x": PIXELS, "batch_size": 8, "shuffle": False},
    "tensor": lambda: {"x": tf.constant(PIXELS), "batch_size": 8},
    "batched": lambda: {"x": tf.data.Dataset.from_tensor_slices(PIXELS).batch(8)},
    "with labels": lambda: {"x": tf.data.Dataset.from_tensor_slices((PIXELS, np.zeros(40))).batch(8)},
    "not batched": lambda: {"x": tf.data.Dataset.from_tensor_slices(PIXELS), "batch_size": 8},
    "endless": lambda: {
        "x": tf.data.Dataset.from_tensor_slices(floats(PIXELS)).batch(8).repeat(),
        "steps_per_epoch": 5,
    },
    "generator": lambda: {"x": (PIXELS[8 * n : 8 * n + 8] for n in range(5))},
    "PyDataset": lambda: {"x": Batches()},
    "whole steps": lambda: {
        "x": tf.data.Dataset.from_tensor_slices(PIXELS).batch(8, drop_remainder=True).batch(1, drop_remainder=True)
    },
    "array and labels": lambda: {"x": PIXELS, "y": np.zeros(40, int), "batch_size": 8},
}


@pytest.mark.slow
def test_models_that_hold_out_images_in_runs_show_what_fit_trained():
    model = kgen.create("vae", PIXELS, units=(16,), latent_dim=3)
    before = model.reconstruct(PIXELS[:4])
    history = model.fit(PIXELS, batch_size=8, epochs=3, validation_data=PIXELS, verbose=0)
    assert (model.reconstruct(PIXELS[:4]) != before).any() and len(set(history.history["val_loss"])) == 3


def test_a_run_that_keeps_best_weights_is_not_fitted_on(tmp_path):
    flags = {"units": (16,), "latent_dim": 3, "steps": 2, "batch_size": 8, "sample_every": 2}
    result = kgen.train("vae", tmp_path, None, **flags)
    with pytest.raises(UsageError, match="go on with kgen.train"):
        result.trainer.fit(PIXELS)


@pytest.fixture(scope="module")
def mine():
    return gan()


@pytest.mark.parametrize("source", SOURCES)
def test_what_fit_takes(mine, source):
    before = int(mine.step.numpy())
    mine.fit(**SOURCES[source](), verbose=0)
    assert int(mine.step.numpy()) - before == 5


@pytest.mark.slow
def test_two_epochs_are_one_and_one():
    one, other = gan(), gan()
    other.set_weights(one.get_weights())
    one.fit(PIXELS, batch_size=16, epochs=2, verbose=0)
    other.fit(PIXELS, batch_size=16, verbose=0)
    other.fit(PIXELS, batch_size=16, verbose=0)
    assert int(one.step.numpy()) == 6 and same(one, other)


def test_backup_and_restore_goes_on_exactly(tmp_path):
    straight, killed = gan(), gan()
    killed.set_weights(straight.get_weights())
    straight.fit(PIXELS, batch_size=8, epochs=3, verbose=0)

    class Dies(C.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed.fit(PIXELS, batch_size=8, epochs=3, verbose=0, callbacks=[C.BackupAndRestore(tmp_path / "b"), Dies()])
    again = gan()
    again.fit(PIXELS, batch_size=8, epochs=3, verbose=0, callbacks=[C.BackupAndRestore(tmp_path / "b")])
    assert same(straight, again)


@pytest.mark.slow
def test_terminate_on_nan_stops():
    broken = gan()
    broken.compile(optimizer=keras.optimizers.SGD(float("nan")))
    broken.fit(PIXELS, batch_size=8, epochs=4, verbose=0, callbacks=[C.TerminateOnNaN()])
    assert 1 <= int(broken.step.numpy()) <= 3


@pytest.mark.slow
def test_swap_ema_weights_swaps_those_of_optimizers():
    class Looks(keras.metrics.Mean):
        def update_state(self, real, made):
            seen.append(weights())

    def weights():
        return [weight.numpy() for weight in model.generator.trainable_variables]

    model, seen = gan(), []
    model.compile(optimizer=keras.optimizers.SGD(0.1, use_ema=True), metrics=[Looks()])
    model.fit(PIXELS, batch_size=8, verbose=0)
    live, averages = weights(), [each.numpy() for each in model.generator_optimizer._model_variables_moving_average]
    assert all((a == b).all() for a, b in zip(live, averages, strict=True))  # as Keras does at the end of fit
    for weight in model.generator.trainable_variables:
        weight.assign(weight + 1.0)
    live = weights()
    model.evaluate(PIXELS[:8], callbacks=[C.SwapEMAWeights()])
    for found, wanted in ((seen[0], averages), (weights(), live)):  # Keras swaps by sums, which round
        assert all(a == pytest.approx(b, abs=1e-5) for a, b in zip(found, wanted, strict=True))


@pytest.mark.slow
def test_a_scheduler_for_one_player():
    model = gan()
    model.compile(g_optimizer=keras.optimizers.SGD(0.4), d_optimizer=keras.optimizers.SGD(0.4))
    scheduler = C.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(PIXELS, batch_size=20, epochs=2, verbose=0, callbacks=[ForPlayer("generator", scheduler)])
    rates = [float(each.learning_rate) for each in model.optimizer.optimizers]
    assert rates == pytest.approx([0.1, 0.4])


@pytest.mark.slow
def test_validation_split_takes_the_last_images():
    model = gan()
    seen = []
    model.measures = lambda trainer, data: seen.append(data.images) or {"loss": 0.0}
    model.fit(PIXELS, batch_size=8, validation_split=0.25, verbose=0)
    assert (seen[0] == PIXELS[30:]).all() and int(model.step.numpy()) == 4


def test_metrics_of_keras_and_of_kgen():
    class Brightness(keras.metrics.Mean):
        def update_state(self, real, made):
            super().update_state(real)

    model = gan()
    model.compile(metrics=["mmd", Brightness(name="brightness")])
    found = model.evaluate(PIXELS, return_dict=True)
    assert found["brightness"] == pytest.approx(PIXELS.mean() / 255, rel=1e-5) and "mmd" in found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": PIXELS[:, :20]}, "The images are 20x28x1, and this model's are 28x28x1"),
        ({"x": PIXELS / np.float32(255)}, "scale them"),
        ({"x": PIXELS.astype(np.float32)}, r"lie in \[-1, 1\], these in \[0.0, 255.0\]"),
        ({"x": PIXELS.astype(np.int64)}, "must be uint8 or floating point, not int64"),
        ({"x": PIXELS, "class_weight": {0: 1.0}}, "leave class_weight and sample_weight out"),
        ({"x": PIXELS, "sample_weight": np.ones(40)}, "leave class_weight and sample_weight out"),
        ({"x": "digits"}, "Images are an array, a tf.data.Dataset, a PyDataset or a generator, not str"),
        ({"x": tf.data.Dataset.from_tensor_slices(PIXELS[:0]).batch(8)}, "The dataset is empty"),
    ],
)
def test_a_mistake_in_fit_is_a_sentence(mine, arguments, words):
    with pytest.raises(UsageError, match=words):
        mine.fit(**arguments, verbose=0)


def test_other_gestures_that_would_be_wrong_are_told(mine):
    for call, words in (
        (lambda: mine.evaluate(PIXELS, sample_weight=np.ones(40)), "leave sample_weight out"),
        (lambda: mine.train_on_batch(PIXELS), "is played by fit"),
        (lambda: mine.predict(np.zeros((2, 7))), r"an array \(n, 16\), not of shape \(2, 7\)"),
        (lambda: mine.save("x.h5"), "ends in .keras"),
        (lambda: kgen.train("dcgan", step=10), "has no number 'step'. Did you mean steps"),
        (lambda: mine.fit(np.full((2, 28, 28, 1), np.nan)), "NaN or infinity"),
        (lambda: mine.sample(0), "There is no image to draw"),
        (lambda: mine.sample(2, label=3), "label 3 of 0 classes"),
    ):
        with pytest.raises(UsageError, match=words):
            call()


@pytest.mark.slow
def test_a_partial_step_is_filled_with_the_first_images():
    seen = []

    class Looks(C.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(int(self.model.step.numpy()))

    model = gan()
    model.fit(tf.data.Dataset.from_tensor_slices(PIXELS).batch(16), verbose=0, callbacks=[Looks()])
    assert seen == [1, 2, 3]


def test_one_rate_for_all_players():
    model = gan()
    model.optimizer.learning_rate = 0.25
    assert [float(each.learning_rate) for each in model.optimizer.optimizers] == [0.25, 0.25]
    model.generator_optimizer.learning_rate = 0.5
    with pytest.raises(UsageError, match="several rates"):
        model.optimizer.learning_rate


def test_weights_that_are_frozen_later_are_told():
    model = gan()
    model.generator.layers[0].trainable = False
    with pytest.raises(UsageError, match="no weight that can be trained"):
        model.fit(PIXELS)
    model.generator.layers[0].trainable = True
    model.discriminator.layers[1].trainable = False
    with pytest.raises(UsageError, match="frozen or freed after the model was made"):
        model.fit(PIXELS)
    model.compile(d_optimizer="adam")
    model.fit(PIXELS, batch_size=20, verbose=0)


def test_a_game_made_by_hand_is_not_saved_as_a_whole(tmp_path):
    by_hand = kgen.Trainer(gan().game)
    with pytest.raises(UsageError, match="make it by kgen.create"):
        by_hand.save(tmp_path / "x.keras")


def test_the_trainer_of_a_run_is_such_a_model(tmp_path):
    flags = {"width": 4, "latent_dim": 8, "steps": 2, "batch_size": 8, "sample_every": 2}
    result = kgen.train("dcgan", tmp_path, None, **flags)
    assert result.trainer.sample(2, seed=1).shape == (2, 28, 28, 1)
    result.trainer.save(tmp_path / "run.keras")
    assert same(kgen.load_model(tmp_path / "run.keras"), result.trainer)
    assert json.loads(result.trainer.get_config()["recipe"])["width"] == 4


def test_ema_is_what_is_drawn_and_saved(tmp_path):
    model = gan(ema=0.9)
    model.fit(PIXELS, batch_size=8, verbose=0)
    noise = np.random.default_rng(1).standard_normal((2, 16), np.float32)
    average = np.asarray(model.averages["generator"](noise, training=False))
    assert (np.asarray(model(noise)) == average).all()
    assert not (np.asarray(model.generator(noise, training=False)) == average).all()
    model.save(tmp_path / "ema.keras")
    assert (np.asarray(kgen.load_model(tmp_path / "ema.keras")(noise)) == average).all()


def test_a_discriminator_of_probabilities_is_told():
    generator, _ = networks()
    layers = keras.layers
    sigmoid = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    with pytest.raises(UsageError, match="leave out its last sigmoid"):
        kgen.DCGAN(generator=generator, discriminator=sigmoid)
