"""The autoencoders of student report 002, after Hinton and Salakhutdinov 2006. Denoising: Vincent et al. 2010.

An encoder maps an image to a code of a few numbers. A decoder, its mirror image, maps the code to an image. Both
minimise the mean error of a pixel. Binary cross-entropy treats a pixel as a probability, so its minimum is not 0 but
the pixels' mean entropy (.0581 nats on MNIST's test images). Dropout stands before each hidden dense layer.

- `autoencoder-basic`: three convolutions of stride 2, a code of 4 numbers, squared error.
- `autoencoder`: the best that the report's search found: a code of 6 numbers, cross-entropy, dropout in the encoder
  only, early stopping, and pruning. Every 5 epochs the smallest weights of each layer but the output layers are set to
  zero. They regrow (`--mask transient`), as the report's final weights are dense. `--mask persistent` keeps them at 0.
- `autoencoder-large`: the best network with a code of 6 numbers found here: dense layers, SiLU, distorted images, and
  a learning rate that falls to 0.
- `denoising`: the `autoencoder` sees a noisy image, and its output is compared with the clean one. `--start-from RUN`
  begins with the networks of a trained `autoencoder`, as the report did.

`--passes 3` sends each image through the network three times. Each pass takes the output of the pass before and is
compared with the clean image. The report calls this "iterative": it is slower, without better results. `--l2` is added
to the gradient, as PyTorch's weight decay is.

The report does not state two things, which were chosen here: sigmoid pixels in `autoencoder-basic` too, and the number
of steps after which training ends without early stopping. The report trained five folds and kept the best. Here a run
is one fold, and `scripts/crossvalidate.py` trains all.

Sources: Hinton and Salakhutdinov 2006, Science 313; Vincent et al. 2010, JMLR 11; dropout, arXiv:1207.0580; SiLU,
arXiv:1702.03118; the report's optimizer and initial weights are PyTorch's.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen import images, optimizers
from kgen.augmentation import noise as noises
from kgen.augmentation.affine import distorted
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.held_out import HeldOutRecipe
from kgen.losses import reconstruction as reconstruction_losses
from kgen.networks import search_space
from kgen.networks.conv_autoencoder import Plan, decoder, encoder
from kgen.optimizers import pruning

if TYPE_CHECKING:
    import optuna

    from kgen.augmentation.noise import Noise
    from kgen.core.game import Game
    from kgen.data import Images
    from kgen.optimizers.pruning import Pruning

LOSSES = {  # of images and logits, in the order in which they are measured
    "binary_cross_entropy": reconstruction_losses.binary_cross_entropy_per_image,
    "squared_error": lambda x, logits: reconstruction_losses.squared_error_per_image(x, keras.ops.sigmoid(logits)),
}
SHORT = {"bce": "binary_cross_entropy", "mse": "squared_error"}


class Autoencoder(autoencoding.AutoencodingGame):
    """One player, the autoencoder; its layers `encoder` and `decoder` are networks of their own.

    Args:
        player: images in [0, 1] -> logits of their reconstructions.
        loss: name in `LOSSES`.
        distort: whether images are rotated, zoomed and shifted a little in training, input and target alike.
        noises: noises that are added to the encoder's images, see `kgen.augmentation.noise`.
        passes: how many times an image passes through the network; each pass takes the output of the pass before.
        pruned: a `kgen.optimizers.pruning.Pruning`, or None.
    """

    range = images.UNIT
    walks = 0

    def __init__(
        self,
        player: Player,
        loss: str,
        distort: bool = False,
        noises: "list[Noise]" = (),
        passes: int = 1,
        pruned: "Pruning | None" = None,
    ) -> None:
        super().__init__(player.network.input_shape[1:], autoencoder=player)
        self.loss, self.distort, self.noises, self.passes, self.pruned = loss, distort, noises, passes, pruned

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, clean: Tensor) -> dict[str, Tensor]:
        """Returns the mean loss, a scalar, of `passes` passes; the first one reconstructs a noisy image."""
        clean = distorted(clean) if self.distort else clean
        seen, losses = self.seen(clean), []
        for _ in range(self.passes):
            logits = self.autoencoder(seen, training=True)
            losses.append(self.per_pixel(self.loss, clean, logits))
            seen = keras.ops.sigmoid(logits)
        return {"autoencoder": keras.ops.mean(keras.ops.stack(losses))}

    def per_pixel(self, name: str, clean: Tensor, logits: Tensor) -> Tensor:
        """Returns a loss as the mean over the numbers of each image, `(batch,)`."""
        return LOSSES[name](clean, logits) / math.prod(clean.shape[1:])

    def measures(self, clean: Tensor) -> dict[str, Tensor]:
        """Returns `{loss: (batch,)}`, each loss of the reconstructions; the loss that is trained comes first."""
        logits = self.autoencoder(self.seen(clean), training=False)
        return {name: self.per_pixel(name, clean, logits) for name in sorted(LOSSES, key=lambda n: n != self.loss)}

    def groups(self) -> "dict[str, list[keras.Variable]]":
        """Returns the kernels that may be pruned, `{group: [kernel, ...]}`."""
        return pruning.groups(encoder=self.encoder, decoder=self.decoder)

    def move(self, name: str, gradients: list[Tensor]) -> None:
        """Applies gradients of the weights' shapes, then sets pruned weights back to 0."""
        if self.pruned and self.pruned.persistent:
            return pruning.holding_zeros(self.groups(), lambda: super(Autoencoder, self).move(name, gradients))
        return super().move(name, gradients)

    def acts_between_epochs(self) -> bool:
        """Returns whether weights are pruned."""
        return self.pruned is not None

    def between_epochs(self, epoch: int) -> dict[str, float]:
        """Prunes when it is time. Returns the sparsity of each group."""
        return self.pruned.act(epoch, self.groups()) if self.pruned else {}

    def seen(self, batch: Tensor) -> Tensor:
        """Returns images `(batch, height, width, channels)` with noise, as the encoder is shown them."""
        return noises.add(batch, self.noises)

    def paint(self, numbers: Tensor) -> Tensor:
        """Returns the images in [0, 1] that the decoder's logits `(batch, height, width, channels)` stand for."""
        return keras.ops.sigmoid(numbers)


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(HeldOutRecipe):
    """Autoencoder, student report 002: an encoder, a code of a few numbers, and the mirrored decoder."""

    channels: tuple[int, ...] = (6, 12, 17)  # Channels of each convolution; without any, all layers are dense.
    kernels: tuple[int, ...] = (2, 2, 3)  # Kernel size of each convolution, in pixels.
    strides: tuple[int, ...] = (1, 1, 3)  # Stride of each convolution, in pixels.
    paddings: tuple[int, ...] = (1, 0, 1)  # Padding of each convolution at both ends, in pixels.
    units: tuple[int, ...] = (57,)  # Units of the hidden dense layers behind the convolutions.
    activation: Literal["relu", "silu", "gelu", "elu", "leaky_relu"] = "relu"  # Activation of every hidden layer.
    latent_dim: int = 6  # Numbers of the code.
    encoder_dropout: float = 0.0  # Dropout rate before each hidden dense layer of the encoder.
    decoder_dropout: float = 0.0  # Dropout before each hidden dense decoder layer but the first, which sees the code.
    loss: Literal["bce", "mse"] = "bce"  # Mean over pixels of the binary cross-entropy or of the squared error.
    noise: str | None = None  # Noise of the encoder's images: uniform:0.7+salt-and-pepper:0.1, hole:8x8, rotation:30.
    distort: bool = False  # Whether images are rotated, zoomed and shifted a little in training, and targets alike.
    passes: int = 1  # Times an image passes through the network; each pass takes the output of the pass before.
    learning_rate: float = 1e-3  # Adam's.
    anneal: bool = False  # Whether the learning rate falls linearly to 0 over the steps.
    warmup: int = 0  # Steps over which an annealed rate first rises from 0, since large early steps kill ReLU units.
    l2: float = 0.0  # Weight decay added to the gradient.
    prune_every: int = 0  # Epochs between prunings; 0 is never.
    prune_encoder_dense: float = 0.0  # Share of weights, the smallest, that pruning zeroes in each dense encoder layer.
    prune_encoder_convolution: float = 0.0  # Share of weights that pruning zeroes in each encoder convolution.
    prune_decoder_dense: float = 0.0  # Share of weights that pruning zeroes in each dense decoder layer.
    prune_decoder_convolution: float = 0.0  # Share of weights that pruning zeroes in each decoder convolution.
    mask: Literal["transient", "persistent"] = "transient"  # Whether pruned weights regrow or stay zero.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plan().demand(self.demand)
        for name in ("latent_dim", "passes"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        for name in ("encoder_dropout", "decoder_dropout", *map("prune_{}".format, self.amounts())):
            self.demand(0 <= getattr(self, name) < 1, name, "at least 0 and below 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        for name in ("l2", "prune_every", "warmup"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        dense = self.mask == "transient" or not self.ema
        self.demand(dense, "ema", "0 with --mask persistent, since averages are not sparse")
        self.demand(self.anneal or not self.warmup, "warmup", "0 without --anneal")
        noises.parse(self.noise)

    def amounts(self) -> dict[str, float]:
        """Returns `{group: share}` that a pruning zeroes."""
        return {
            "encoder_dense": self.prune_encoder_dense,
            "encoder_convolution": self.prune_encoder_convolution,
            "decoder_dense": self.prune_decoder_dense,
            "decoder_convolution": self.prune_decoder_convolution,
        }

    def plan(self) -> Plan:
        """Returns the layers, a `kgen.networks.conv_autoencoder.Plan`."""
        return Plan(self.channels, self.kernels, self.strides, self.paddings, self.units, self.activation)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if the convolutions leave nothing of images `(height, width, channels)`."""
        self.plan().maps(shape)

    def suggest(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Returns the fields of a trial of a search, drawn from the report's space."""
        return search_space.suggest(trial, tuple(map("prune_{}".format, self.amounts())))

    def game(self, data: "Images") -> "Game":
        """Returns the `Autoencoder` for images of this shape."""
        shape = data.images.shape[1:]
        network = autoencoding.autoencoder(
            encoder(shape, self.plan(), self.latent_dim, self.encoder_dropout),
            decoder(shape, self.plan(), self.latent_dim, self.decoder_dropout),
        )
        rate = self.learning_rate
        if self.anneal:
            rate = optimizers.LinearDecay(rate, self.steps, self.warmup)
        return Autoencoder(
            Player(network, keras.optimizers.Adam(rate, epsilon=1e-8), self.l2),
            SHORT[self.loss],
            self.distort,
            noises.parse(self.noise),
            self.passes,
            pruning.Pruning(self.prune_every, self.amounts(), self.mask == "persistent") if self.prune_every else None,
        )


BASIC = {"channels": (8, 16, 32), "kernels": (3, 3, 3), "strides": (2, 2, 2), "paddings": (1, 1, 0), "units": (128, 16)}
BEST = {
    "encoder_dropout": 0.19015,
    "learning_rate": 2.8927e-3,
    "l2": 6.5057e-7,
    "batch_size": 383,
    "patience": 13,
    "prune_every": 5,
    "prune_encoder_dense": 0.3984,
    "prune_encoder_convolution": 0.1001,
    "prune_decoder_dense": 0.2135,
    "prune_decoder_convolution": 0.0680,
    "steps": 25_000,  # 200 epochs of 48,000 images
}
DENSE = {"channels": (), "kernels": (), "strides": (), "paddings": ()}
LARGE = {
    **DENSE,
    "units": (1536, 768, 384),
    "activation": "silu",
    "distort": True,
    "anneal": True,
    "batch_size": 256,
    "steps": 15_000,  # 80 epochs of 48,000 images
}
RECIPES = {
    "autoencoder-basic": AutoencoderRecipe(**BASIC, latent_dim=4, loss="mse", l2=1e-5, batch_size=256, steps=18_750),
    "autoencoder": AutoencoderRecipe(**BEST),
    "autoencoder-large": AutoencoderRecipe(**LARGE),
    "denoising": AutoencoderRecipe(**BEST, noise="uniform:0.7+salt-and-pepper:0.1"),
}
