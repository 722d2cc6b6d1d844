"""Measurements of pixels: Parzen log-likelihood, MMD."""

import numpy as np

from kgen.metrics import mmd, parzen
from kgen.metrics.features import digest
from kgen.metrics.measurement import Measurement

BLOCK = 500
GRIDS = (("parzen", "official grid", parzen.OFFICIAL), ("parzen_fine", "fine grid", parzen.FINE))


def parzen_log_likelihood(evidence):
    """Under the grid of the 2014 code, and under a fine one."""
    validation = evidence.real.validation / np.float32(255)
    return [_parzen(evidence, validation, *grid) for grid in GRIDS]


def _parzen(evidence, validation, name, words, grid):
    images = (evidence.fake, validation, unit(evidence))

    def compute():
        return {key: np.asarray(value) for key, value in parzen.parzen(*images, grid)._asdict().items()}

    key = ["parzen", list(grid), *map(digest, images)]
    found = parzen.Parzen(**evidence.cache.of(key, compute))
    sigma = float(found.sigma)
    edge = f"sigma {sigma:.3g} is at the edge of its grid: a better one may lie beyond."
    return Measurement(
        name=name,
        label=f"Parzen log-likelihood, nats, {words}",
        value=float(found.mean),
        spread=float(found.error),
        spread_is="standard error over real images",
        higher=True,
        protocol=evidence.protocol(
            validation=len(validation), grid=f"{len(grid)} points from {grid[0]:g} to {grid[-1]:g}"
        ),
        found={"sigma": sigma},
        warnings=(edge,) if found.edge else (),
    )


def unit(evidence):
    """Returns the real images as float32 in [0, 1]."""
    return evidence.real.images / np.float32(255)


def discrepancies(evidence):
    """MMD^2 of pixels under a Gaussian kernel: of all pairs, of blocks, and of disjoint pairs in linear time."""
    count = min(len(evidence.real.images), len(evidence.fake))
    real, fake = (images[:count].reshape(count, -1) for images in (unit(evidence), evidence.fake))
    bandwidth = mmd.median_bandwidth(real, fake)
    gaussian, size = mmd.gaussian(bandwidth), min(BLOCK, count)
    found = {
        "mmd": ("all pairs", mmd.Estimate(mmd.unbiased(real, fake, gaussian), np.inf)),
        "mmd_block": (f"blocks of {size}", mmd.block(real, fake, gaussian, size)),
        "mmd_linear": ("disjoint pairs", mmd.linear_time(real, fake, gaussian)),
    }
    return [
        Measurement(
            name=name,
            label=f"MMD^2 of pixels, {words}",
            value=estimate.value,
            spread=estimate.error if np.isfinite(estimate.error) else None,
            spread_is="standard error" if np.isfinite(estimate.error) else "",
            protocol=evidence.protocol(compared=count, kernel="Gaussian, bandwidth the median distance"),
            found={"bandwidth": bandwidth} | ({"p_value": estimate.p_value} if np.isfinite(estimate.error) else {}),
        )
        for name, (words, estimate) in found.items()
    ]


def report004(evidence):
    """MMD as student report 004 computed it."""
    count = min(len(evidence.real.images), len(evidence.fake))
    value = mmd.report004(2 * unit(evidence)[:count] - 1, 2 * evidence.fake[:count] - 1)
    label, protocol = "MMD of report 004, which sees means alone", evidence.protocol(compared=count)
    return [Measurement(name="mmd_report004", label=label, value=value, protocol=protocol)]
