"""Measurements of an encoder and a decoder."""

import numpy as np

from kgen.metrics import lines as line_metrics
from kgen.metrics.measurement import Measurement


def lines(evidence):
    """Mean Distance and Smoothness of Berthelot et al. 2019."""
    found = line_metrics.line_scores(evidence.codec, evidence.seed)
    protocol = {"images": line_metrics.EVALUATED, "steps": 16, "seed": evidence.seed}
    none = "no pair turned: there is no smoothness."
    return [
        Measurement(
            name=name,
            label=name.replace("_", " ").capitalize(),
            value=value,
            protocol=protocol,
            warnings=() if np.isfinite(value) else (none,),
        )
        for name, value in found.items()
    ]
