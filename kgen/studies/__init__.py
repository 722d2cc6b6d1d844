"""Experiments on trained generators. They ask a `kgen.inference.sampling.TrainedGenerator` and no network, so a run and its export do."""
