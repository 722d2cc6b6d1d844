"""Contestants of a few lines."""

import time


def sleeps(meter, seconds, megabytes):
    """Sleeps, with so many bytes in memory, and prints."""
    held = bytearray(megabytes * 10**6)
    held[::1000] = b"1" * len(held[::1000])
    print("which is no answer")
    meter.start()
    time.sleep(seconds)
    meter.did()
    return {"amount": 3}


def fails(meter):
    """Raises an error."""
    raise ValueError("no more")
