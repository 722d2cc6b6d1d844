"""Work on several devices: all items in their order, by the functions in turn, none of them read too early."""

import threading

import pytest
import tensorflow as tf

from kgen.backend.spread import on, spread


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 11])
@pytest.mark.parametrize("functions", [1, 2, 3])
def test_functions_take_turns_and_answers_keep_the_order(functions, count):
    marked = [lambda item, number=number: (number, item) for number in range(functions)]
    assert list(spread(marked, range(count))) == [(item % functions, item) for item in range(count)]


def test_functions_work_at_the_same_time():
    """Each waits until all are at work: one after the other they would wait for ever."""
    together = threading.Barrier(3, timeout=60)
    assert list(spread([lambda item: together.wait() and None or item] * 3, range(6))) == list(range(6))


def test_a_function_works_on_one_item_at_a_time():
    busy = threading.Lock()

    def alone(item):
        assert busy.acquire(blocking=False)
        busy.release()
        return item

    assert list(spread([alone, lambda item: item], range(50))) == list(range(50))


def test_an_endless_iterable_is_read_as_it_is_needed():
    read = []

    def endless():
        while True:
            read.append(len(read))
            yield read[-1]

    found = spread([lambda item: item] * 2, endless())
    assert [next(found) for _ in range(3)] == [0, 1, 2] and len(read) <= 3 + 2 * 2
    found.close()


@pytest.mark.parametrize("functions", [1, 2])
def test_what_a_function_raises_is_raised(functions):
    def fails(item):
        return 1 / (3 - item)

    with pytest.raises(ZeroDivisionError):
        list(spread([fails] * functions, range(10)))


def test_a_function_is_called_on_its_device():
    assert on("CPU:0", lambda x, y: tf.constant(x + y))(1, 2).device.endswith("CPU:0")
