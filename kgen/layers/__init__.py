"""Layers that Keras lacks, or that papers need in another form, one file each. Importing them loads no TensorFlow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "augmentation_probability": ["AugmentationProbability"],
        "batch_norm": ["BatchNorm"],
        "bias": ["UntiedBias"],
        "conditional_batch_norm": ["ConditionalBatchNorm"],
        "display_range": ["DisplayRange"],
        "dropout": ["Dropout"],
        "max_pool": ["CoveringMaxPool"],
        "maxout": ["Maxout"],
        "minibatch": ["MinibatchDiscrimination"],
        "prediction_averages": ["PredictionAverages"],
        "self_attention": ["SelfAttention"],
        "spectral_norm": ["SpectralNorm"],
        "upsample": ["UPSAMPLINGS", "bilinear", "nearest", "repeated", "transposed"],
        "vector_quantizer": ["VectorQuantizer"],
        "virtual_batch_norm": ["VirtualBatchNorm", "WithReference", "WithoutReference"],
    },
)
