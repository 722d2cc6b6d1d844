"""What evaluate() measures."""

import keras
import numpy as np
import pytest

import kgen
from kgen.data import Images
from kgen.errors import UsageError
from kgen.training.model.measures import Measures, as_bytes, own
from tests.helpers.keras_models import PIXELS, gan


def test_an_autoencoder_has_its_own_measures():
    model = kgen.create("vae", PIXELS, latent_dim=2)
    found = own(model, Images(PIXELS, None, ()))
    assert list(found)[0] == "loss" and found["loss"] == found["negative_bound"]
    assert found["negative_bound"] == pytest.approx(found["reconstruction"] + found["kl"], rel=1e-6)


def test_a_metric_of_keras_sees_reconstructions_or_drawn_images():
    class Both(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.seen = []

        def update_state(self, real, made):
            self.seen.append((np.asarray(real), np.asarray(made)))

        def result(self):
            return 0.0

    model, metric = gan(), Both()
    Measures([metric])(model, Images(PIXELS, None, ()))
    ((real, made),) = metric.seen
    assert (real == PIXELS / np.float32(255)).all() and (made == model.sample(40, seed=0)).all()


def test_floats_are_rounded_to_bytes():
    assert (as_bytes(gan(), (PIXELS / 127.5 - 1).astype(np.float32)) == PIXELS).all()


def test_what_is_no_metric_is_told():
    with pytest.raises(UsageError, match="metrics must be among"):
        Measures(["accuracy"])
    with pytest.raises(UsageError, match="A metric is a name or a keras.metrics.Metric, not int"):
        Measures([3])
