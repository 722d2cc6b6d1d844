"""PyTorch's variants, where PyTorch is installed."""

import pytest

from kgen.studies.benchmark.case import Timing
from kgen.studies.benchmark.meter import Meter

torch = pytest.importorskip("torch", reason="the rival is no dependency of kgen")


def test_steps_are_told_until_the_meter_has_enough():
    from kgen.studies.benchmark.rivals import torch_variant

    meter, steps = Meter(Timing(2, 0.01, 0.01), 0.0), []
    torch_variant.play(meter, torch_variant.Variant("eager", "float32"), lambda: steps.append(1))
    assert len(meter.seconds) == 2 and len(steps) > 2


def test_a_batch_has_the_range_of_kgen():
    from kgen.studies.benchmark.rivals import torch_variant

    variant = torch_variant.Variant("channels-last", "float32")
    batch = torch_variant.batch(variant, torch_variant.images(variant, 100, (3, 8, 8)), 50)
    assert batch.shape == (50, 3, 8, 8) and -1 <= batch.min() < -0.9 and 0.9 < batch.max() <= 1
    assert batch.is_contiguous(memory_format=torch.channels_last)
