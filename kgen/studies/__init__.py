"""Experiments on trained generators. They ask a `kgen.sampling.Source` and no network, so a run and its export do."""
