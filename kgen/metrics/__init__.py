"""Metrics. Most files are one metric: pure functions of arrays, and `measure`, which applies them to a model."""
