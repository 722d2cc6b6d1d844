"""Neural Discrete Representation Learning. Van den Oord et al. 2017, arXiv:1711.00937.

The encoder's maps have a vector at each position. Before decoding, each vector is replaced by the nearest vector of a
codebook. With z the maps and e their nearest vectors (equation 3; sg stops the gradient):

    L = error(x, g(e)) + ||sg(z) - e||^2 + beta ||z - sg(e)||^2

The gradient of the first term passes from e to z as if they were the same. The second term moves the codebook. The
third term keeps the encoder near the codebook. The errors are means over numbers, and beta is .25. By default moving
averages replace the second term: each codebook vector follows the average of the vectors that choose it (appendix A.1,
`--codebook-decay`). `--codebook-decay 0` uses the second term.

The perplexity `exp(-sum_k p_k log p_k)` of a batch's choices is logged. It is 1 if all positions choose one vector. By
the second term alone the codebook collapses: on `mnist5k` all positions choose one vector within 150 steps. So the
averages restart a codebook vector that few positions choose, at the vector of a random position (Dhariwal et al. 2020,
arXiv:2005.00341, section 3.1).

Recipe `vq-vae`: the networks of Berthelot et al. 2019 (`kgen.networks.acai`), where this model was a baseline, and a
codebook of 512 vectors. As in that paper, the code of an image is the maps before quantisation. Interpolations mix
these codes, and the decoder quantises. For lines: `--dataset lines --latent-width 2 --steps 262144`.

Deviations: these networks instead of the paper's residual ones; squared error of images in [-1, 1]; no autoregressive
prior on the indices, so no images are made from noise; the restarts. Berthelot et al. use beta 10 and a decay of .999.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import layers, rng
from kgen.backend import Tensor, keras, replicas
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.networks.acai import ACAINetworksRecipe, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.autoencoding import Pixels
    from kgen.core.game import Game
    from kgen.data import Images

QUANTIZER = "quantizer"


class VQVAE(autoencoding.AutoencodingGame):
    """Van den Oord et al. 2017, section 3.2.

    Args:
        autoencoder: player, with layers `encoder` and `decoder`; the latter has a layer `quantizer`.
        pixels: a `kgen.core.autoencoding.Pixels`.
        size: length of a vector of the codebook.
        beta: weight of the third term, which keeps the encoder near the codebook.
    """

    reports = ("reconstruction", "codebook_error", "perplexity")

    def __init__(self, autoencoder: Player, pixels: "Pixels", size: int, beta: float) -> None:
        super().__init__(autoencoder.network.input_shape[1:], pixels, autoencoder=autoencoder)
        self.size, self.beta = size, beta

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the loss, its parts, and the perplexity of the choices, scalars."""
        ops, codes = keras.ops, self.encoder(real, training=True)
        reconstruction = self.pixels.error(real, self.decoder(codes, training=True))
        quantizer, vectors = self.decoder.get_layer(QUANTIZER), ops.reshape(codes, (-1, self.size))
        chosen = quantizer.chosen(vectors)
        nearest, shares = ops.matmul(chosen, quantizer.codebook), replicas.mean(ops.mean(chosen, axis=0))
        moved = ops.mean(ops.square(ops.stop_gradient(vectors) - nearest))
        committed = ops.mean(ops.square(vectors - ops.stop_gradient(nearest)))
        if quantizer.decay:
            everyone = replicas.gathered(ops.stop_gradient(vectors))
            draws = rng.current().integers((quantizer.count,), everyone.shape[0], shared=True)
            quantizer.follow(everyone, replicas.gathered(chosen), draws)
        return {
            "autoencoder": reconstruction + (0 if quantizer.decay else moved) + self.beta * committed,
            "reconstruction": reconstruction,
            "codebook_error": moved,
            "perplexity": ops.exp(-ops.sum(shares * ops.log(shares + 1e-10))),
        }


def quantising(network: "keras.Model", size: int, count: int, decay: float) -> "keras.Model":
    """Returns a decoder of codes `(batch, n size)` that first replaces every `size` numbers by a codebook vector."""
    code = keras.Input(network.input_shape[1:])
    vectors = keras.layers.Reshape((-1, size))(code)
    nearest = layers.VectorQuantizer(count, decay, name=QUANTIZER)(vectors)
    return keras.Model(code, network(keras.layers.Flatten()(nearest)), name="decoder")


@dataclass(frozen=True, kw_only=True)
class VQVAERecipe(ACAINetworksRecipe):
    """Vector-quantised autoencoder, van den Oord et al. 2017."""

    codebook: int = 512  # Number of vectors in the codebook.
    codebook_decay: float = 0.99  # Decay of the averages that the codebook follows; 0 moves it by gradients.
    beta: float = 0.25  # Weight of the term that keeps the encoder near the codebook.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.codebook >= 2, "codebook", "at least 2")
        self.demand(0 <= self.codebook_decay < 1, "codebook_decay", "at least 0 and below 1")
        self.demand(self.beta >= 0, "beta", "0 or more")

    def game(self, data: "Images") -> "Game":
        """Returns the `VQVAE` on ACAI's networks."""
        shape, plan = data.images.shape[1:], self.pyramid(data.images.shape[1:])
        decoding = quantising(decoder(shape, plan), self.latent_channels, self.codebook, self.codebook_decay)
        network = autoencoding.autoencoder(encoder(shape, plan), decoding)
        return VQVAE(Player(network, self.adam()), autoencoding.PIXELS["mse"], self.latent_channels, self.beta)


RECIPES = {"vq-vae": VQVAERecipe(image_size=32, latent_width=4, steps=20_000)}
