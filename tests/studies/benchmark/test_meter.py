"""The meter, on a clock that the tests move."""

import pytest

from kgen.studies.benchmark.case import ONCE, Timing
from kgen.studies.benchmark.meter import Meter


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def played(timing, first, each, count=1, start=10.0):
    """Returns the meter of a contestant, whose first repetition is slow."""
    clock = Clock()
    clock.work(start)
    meter, seconds = Meter(timing, began=4.0, clock=clock), first
    while True:
        clock.work(seconds * count)
        if not meter.did(count):
            return meter
        seconds = each


def test_parts_are_the_seconds_of_a_repetition_and_the_first_is_apart():
    meter = played(Timing(parts=3, seconds=2.0, warm_up=1.0), first=30.0, each=0.5)
    assert meter.first == 36.0  # 6 seconds of the process, then the first repetition
    assert meter.seconds == [0.5, 0.5, 0.5]


def test_several_repetitions_between_two_notes():
    meter = played(Timing(parts=2, seconds=2.0, warm_up=1.0), first=30.0, each=0.5, count=10)
    assert meter.seconds == [0.5, 0.5]


def test_without_a_warm_up_the_first_repetition_counts():
    meter = played(ONCE, first=30.0, each=0.5)
    assert meter.seconds == [30.0] and meter.first == 36.0


def test_what_happens_before_start_is_in_no_part():
    clock = Clock()
    meter = Meter(ONCE, began=0.0, clock=clock)
    clock.work(100.0)
    meter.start()
    clock.work(3.0)
    assert not meter.did()
    assert meter.seconds == [3.0] and meter.first == 103.0


def test_waiting_for_the_device_counts():
    clock = Clock()
    meter = Meter(Timing(parts=1, seconds=1.0, warm_up=1.0), began=0.0, clock=clock)
    meter.did()
    for _ in range(2):  # warm-up, then a part: a second to start the work, seven until the device has done it
        clock.work(1.0)
        meter.did(wait=lambda: clock.work(7.0))
    assert meter.seconds == [pytest.approx(8.0)]
