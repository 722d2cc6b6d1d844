"""What metrics ask of models is what models have."""

import inspect

import pytest

from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.generator import TrainedGenerator
from kgen.metrics import protocols


@pytest.mark.parametrize(
    "asked, kept",
    [
        (protocols.DrawsImages, TrainedGenerator),
        (protocols.DrawsClasses, TrainedGenerator),
        (protocols.DrawsLatents, TrainedGenerator),
        (protocols.Encodes, TrainedAutoencoder),
    ],
)
def test_a_trained_model_has_the_methods_with_these_arguments(asked, kept):
    names = [name for name, _ in inspect.getmembers(asked, inspect.isfunction) if not name.startswith("_")]
    assert names
    for name in names:
        wanted, found = (list(inspect.signature(getattr(each, name)).parameters) for each in (asked, kept))
        assert found[: len(wanted)] == wanted, name
