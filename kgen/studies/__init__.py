"""Experiments on trained models. They take what `kgen.load` returns, so a run and its export serve alike."""
