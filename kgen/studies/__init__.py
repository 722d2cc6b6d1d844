"""Experiments on trained models. Most take what `kgen.load` returns, of a run or of an export."""
