"""Metrics. Each file of this folder is one: pure functions of arrays, and what to ask a trained model for them."""
