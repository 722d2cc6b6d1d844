"""The plain Keras networks have the sizes of kgen's."""

import pytest

from kgen.studies.benchmark.rivals import keras_gan
from tests.helpers import rivals


@pytest.mark.parametrize("size", [28, 64])
def test_dcgan_has_as_many_weights_and_the_shape_of_kgen(size):
    sizes, (model, shape, changes) = rivals.DCGANS[size]
    game = rivals.game(model, shape, **changes)
    networks = keras_gan.dcgan(**sizes)
    assert list(map(rivals.size, networks)) == [rivals.size(game.generator), rivals.size(game.discriminator)]
    assert networks[0].output_shape == (None, *shape)


def test_the_maxout_gan_has_as_many_weights_as_that_of_kgen():
    game = rivals.game("gan", (28, 28, 1))
    assert list(map(rivals.size, keras_gan.maxout_gan())) == [
        rivals.size(game.generator),
        rivals.size(game.discriminator),
    ]
