"""GAN in PyTorch has the sizes of kgen's, where PyTorch is installed."""

import pytest

from tests.helpers import rivals

torch = pytest.importorskip("torch", reason="the rival is no dependency of kgen")


def test_networks_have_as_many_weights_as_those_of_kgen():
    from kgen.studies.benchmark.rivals import torch_gan

    game = rivals.game("gan", (28, 28, 1))
    networks = torch_gan.networks()
    assert list(map(rivals.size, networks)) == [rivals.size(game.generator), rivals.size(game.discriminator)]
    assert networks[1](networks[0](torch.zeros(2, 100))).shape == (2, 1)
