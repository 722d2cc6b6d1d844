"""What a user would take in place of kgen, written for speed: the same networks, batches, optimizers and precision.

They train on random images that lie in memory, and write no logs, pictures or checkpoints.
"""
