"""DCGAN in PyTorch has the sizes of kgen's, where PyTorch is installed."""

import pytest

from tests.helpers import rivals

torch = pytest.importorskip("torch", reason="the rival is no dependency of kgen")


@pytest.mark.parametrize("size", [28, 64])
def test_networks_have_as_many_weights_as_those_of_kgen(size):
    from kgen.studies.benchmark.rivals import torch_dcgan

    sizes, (model, shape, changes) = rivals.DCGANS[size]
    game = rivals.game(model, shape, **changes)
    networks = torch_dcgan.networks(**sizes)
    assert list(map(rivals.size, networks)) == [rivals.size(game.generator), rivals.size(game.discriminator)]
    made = networks[0](torch.zeros(2, 100))
    assert made.shape == (2, shape[-1], *shape[:2]) and networks[1](made).shape == (2, 1)
