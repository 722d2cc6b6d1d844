"""What watches a match; each callback acts at multiples of its own number of steps."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "at_steps": ["AtSteps"],
        "diagnose": ["Diagnose"],
        "epoch": ["Epoch"],
        "evaluate": ["Evaluate"],
        "guard": ["Guard"],
        "interrupt": ["Interrupt"],
        "log": ["Log", "tensorboard_writer"],
        "progress": ["Progress"],
        "samples": ["Samples"],
        "tensorboard": ["Histograms", "Profile"],
    },
)
