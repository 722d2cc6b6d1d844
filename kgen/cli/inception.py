"""Converts weights of the 2015 Inception, which FID needs: kgen inception --weights pt_inception.pth"""

import os
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing


@dataclass(frozen=True, kw_only=True)
class Options:
    """Converts a file of the 2015 Inception's weights, of PyTorch or TensorFlow, for --inception of other commands."""

    weights: Path  # The file: .pth of pytorch-fid or torch-fidelity, or TensorFlow's classify_image_graph_def.pb.
    out: Path = Path("inception-2015-12-05.npz")  # The file to write.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    out = Path(os.path.expanduser(options.out))
    parsing.demand(out.suffix == ".npz", f"--out must end in .npz, not {options.out}.")
    parsing.demand(out.parent.is_dir(), f"--out {options.out}: there is no folder {out.parent}.")
    import numpy as np

    from kgen.metrics import inception_files

    arrays = inception_files.convert(Path(os.path.expanduser(options.weights)))
    partial = out.with_name(f"{out.stem}.partial.npz")
    np.savez(partial, **arrays)
    partial.replace(out)
    scores = "with" if "logits.weight" in arrays else "without"
    print(f"{out}, 94 convolutions {scores} logits: kgen evaluate --inception {out}")
    return 0
