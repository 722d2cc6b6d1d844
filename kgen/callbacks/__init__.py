"""What watches a match; each callback acts at multiples of its own number of steps."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "every_n_steps": ["AtSteps"],
        "checkpoint": ["Checkpoints"],
        "diagnostics": ["Diagnose"],
        "validation": ["Epoch"],
        "evaluation": ["Evaluate"],
        "stop_on_nan": ["Guard"],
        "interrupt": ["Interrupt"],
        "log": ["Log", "tensorboard_writer"],
        "progress": ["Progress"],
        "samples": ["Samples"],
        "tensorboard": ["Histograms", "Profile"],
    },
)
