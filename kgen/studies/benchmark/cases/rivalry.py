"""Training steps of kgen, PyTorch and plain Keras in turn: the same networks, batches, optimizers and precision."""

from typing import Any

from kgen.studies.benchmark.case import Case, Contestant

HERE = "kgen.studies.benchmark"
MODES = {"torch-eager": "eager", "torch-channels-last": "channels-last", "torch-compile": "compile"}
PRECISIONS = {"": "float32", "-bfloat16": "mixed_bfloat16"}


def case(about: str, ours: Contestant, torch: str, plain: str, **theirs: Any) -> Case:
    """Returns the case of a model.

    Args:
        about: what is trained.
        ours: kgen.
        torch, plain: `module:function` of the loops in PyTorch and in Keras, below `rivals`.
        theirs: their arguments, besides PyTorch's mode.
    """
    rivals = {
        name: Contestant(f"{HERE}.rivals.{torch}", {"mode": mode, **theirs}, ("torch",)) for name, mode in MODES.items()
    }
    graphs = Contestant(f"{HERE}.rivals.{torch}", {"mode": "cuda-graphs", **theirs}, ("torch", "gpu"))
    keras = Contestant(f"{HERE}.rivals.{plain}", theirs)
    about = f"{about}, batch {theirs['batch_size']}, {theirs['precision']}"
    return Case(about, "images/s", {"kgen": ours, **rivals, "torch-cuda-graphs": graphs, "keras": keras})


def ours(model: str, precision: str, noise: bool = False, **changes: Any) -> Contestant:
    """Returns kgen training a recipe, see `kgen.studies.benchmark.training.steps`."""
    arguments = {"model": model, "changes": {"precision": precision, **changes}, "noise": noise}
    return Contestant(f"{HERE}.training:steps", arguments)


def dcgan_28(precision: str) -> Case:
    """Returns DCGAN at 28 pixels with the widths of the recipe `dcgan`."""
    kgen = ours("dcgan", precision, ema=0.0, l2=0.0)
    sizes = {"size": 28, "channels": 1, "width": 32, "kernel": 5}
    names = ("torch_dcgan:steps", "keras_gan:dcgan_steps")
    return case("steps of DCGAN at 28 pixels", kgen, *names, precision=precision, batch_size=64, **sizes)


def dcgan_64(precision: str, batch_size: int) -> Case:
    """Returns DCGAN at 64 pixels, widths 64 to 512, kernels of 4."""
    network = {"width": 64, "kernel_size": 4, "learning_rate": 2e-4, "image_size": 64}
    # Where a batch takes half a millisecond, the return to Python would be most of it. On a CPU it is no matter.
    often = {"steps_per_execution": 50 if batch_size > 64 else 10}
    kgen = ours("dcgan", precision, True, **network, ema=0.0, l2=0.0, batch_size=batch_size, **often)
    sizes = {"size": 64, "channels": 3, "width": 64, "kernel": 4}
    names = ("torch_dcgan:steps", "keras_gan:dcgan_steps")
    return case("steps of DCGAN at 64 pixels", kgen, *names, precision=precision, batch_size=batch_size, **sizes)


def gan(precision: str) -> Case:
    """Returns the maxout GAN at 28 pixels, the recipe `gan`."""
    names = ("torch_gan:steps", "keras_gan:maxout_steps")
    kgen = ours("gan", precision)
    return case("steps of the maxout GAN at 28 pixels", kgen, *names, precision=precision, batch_size=100)


def acai(precision: str) -> Case:
    """Returns ACAI on lines of 32 pixels, the recipe `acai`."""
    kgen = ours("acai", precision)
    names = ("torch_acai:steps", "keras_acai:steps")
    return case("steps of ACAI at 32 pixels", kgen, *names, precision=precision, batch_size=64)


CASES = {
    f"{name}{ending}": make(precision)
    for name, make in {
        "dcgan-28": dcgan_28,
        "dcgan-64": lambda precision: dcgan_64(precision, 64),
        "dcgan-64-batch-256": lambda precision: dcgan_64(precision, 256),
        "gan": gan,
        "acai": acai,
    }.items()
    for ending, precision in PRECISIONS.items()
}
