"""A callback acts at multiples of its number of steps, counted over the whole run, and once more at its end."""

import pytest

from kgen.callbacks import EveryNSteps


class Noted(EveryNSteps):
    """Notes the steps at which it was called."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.steps = []

    def at(self, step):
        self.steps.append(step)


def played(noted, count, at_once=1):
    """Lets a callback see a `fit` of `count` steps, of which Keras tells those that end an execution."""
    for batch in range(at_once - 1, count, at_once):
        noted.on_train_batch_end(batch)
    return noted.steps


@pytest.mark.parametrize("start, expected", [(0, [3, 6, 9]), (2, [3, 6, 9, 12]), (3, [6, 9, 12]), (7, [9, 12, 15])])
def test_steps_are_those_of_the_run(start, expected):
    assert played(Noted(3, start), 10) == expected


def test_several_steps_at_once_are_seen_where_they_end():
    assert played(Noted(4), 16, at_once=2) == [4, 8, 12, 16]


@pytest.mark.parametrize("last, expected", [(6, [3, 6]), (7, [3, 6, 7]), (8, [3, 6, 8])])
def test_the_end_of_a_run_is_not_missed_and_not_seen_twice(last, expected):
    noted = Noted(3)
    played(noted, last)
    noted.finish(last)
    assert noted.steps == expected


def test_a_callback_must_say_what_it_does():
    with pytest.raises(NotImplementedError, match=r"says in at\(\)"):
        EveryNSteps(1).on_train_batch_end(0)
