"""ACAI in PyTorch has the sizes of kgen's, where PyTorch is installed."""

import pytest

from tests.helpers import rivals

torch = pytest.importorskip("torch", reason="the rival is no dependency of kgen")


def test_networks_have_as_many_weights_as_those_of_kgen():
    from kgen.studies.benchmark.rivals import torch_acai

    game = rivals.game("acai", (32, 32, 1))
    networks = torch_acai.encoder(), torch_acai.decoder(), torch_acai.encoder()
    assert list(map(rivals.size, networks)) == list(map(rivals.size, (game.encoder, game.decoder, game.critic)))
    assert networks[1](networks[0](torch.zeros(2, 1, 32, 32))).shape == (2, 1, 32, 32)
