"""DCGAN of the papers that use it: parameter counts, and the maps of figure 1."""

import numpy as np

from kgen.core import recipe as recipes
from kgen.data import Images


def blank(size, channels):
    return Images(np.zeros((2, size, size, channels), np.uint8), None, ())


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def test_report_004s_networks_have_its_parameter_counts():
    game = recipes.find("dcgan-report004").game(blank(64, 3))
    assert trainable(game.generator) == 12_654_592 + 3_840
    assert trainable(game.discriminator) == 11_032_576 + 3_840


def test_figure_1_has_the_papers_maps():
    game = recipes.find("dcgan-faces").game(blank(64, 3))
    shapes = {tuple(layer.output.shape[1:]) for layer in game.generator.layers}
    assert {(4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 3)} <= shapes
