"""Callbacks of a trainer; each callback acts at multiples of its own number of steps."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "every_n_steps": ["EveryNSteps"],
        "for_player": ["ForPlayer"],
        "images_per_second": ["ImagesPerSecond"],
        "checkpoint": ["Checkpoints"],
        "diagnostics": ["Diagnostics"],
        "validation": ["Validation"],
        "evaluation": ["Evaluation"],
        "stop_on_nan": ["StopOnNaN"],
        "interrupt": ["Interrupt"],
        "log": ["Log", "tensorboard_writer"],
        "progress": ["Progress"],
        "samples": ["Samples"],
        "tensorboard": ["Histograms", "Profile", "hparams"],
    },
)
