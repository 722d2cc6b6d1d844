"""Parts in the unit of a case."""

from kgen.studies.benchmark.case import value


def test_a_rate_is_an_amount_a_second_and_a_time_is_itself():
    assert value("images/s", seconds=0.5, amount=64) == 128
    assert value("s", seconds=0.5, amount=1) == 0.5
