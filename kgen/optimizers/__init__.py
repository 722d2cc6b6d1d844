"""Optimizers and schedules that papers used and Keras lacks. Each loads Keras when it is first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "momentum_ramp_sgd": ["MomentumRampSGD"],
        "rmsprop": ["RMSprop"],
        "schedules": ["ExponentialDecay", "LinearDecay"],
    },
)
