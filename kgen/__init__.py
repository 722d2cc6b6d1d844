"""kgen: the classic generative image models on Keras 3, trained with one command and exported for serving."""

__version__ = "0.1.0"
