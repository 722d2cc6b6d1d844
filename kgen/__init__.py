"""kgen: the classic generative image models on Keras 3, trained, measured and served."""

__version__ = "0.1.0"
