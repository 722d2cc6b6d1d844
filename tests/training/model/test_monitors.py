"""The modes of callbacks that monitor a value."""

import keras
import pytest

from kgen.errors import UsageError
from kgen.training.model import monitors


@pytest.mark.parametrize(
    ("name", "mode"),
    [("val_fid", "min"), ("generator_loss", "min"), ("val_accuracy", "max"), ("val_recall", "max"), ("kl", "min")],
)
def test_modes(name, mode):
    stopping = keras.callbacks.EarlyStopping(name)
    assert monitors.with_modes([stopping]) == [stopping] and stopping.mode == mode


def test_a_mode_that_was_given_stays():
    stopping = keras.callbacks.EarlyStopping("val_fid", mode="max")
    monitors.with_modes(stopping)
    assert stopping.mode == "max"


def test_an_unknown_value_is_told():
    with pytest.raises(UsageError, match="give mode='min' or mode='max'"):
        monitors.mode("real_score")
