"""A signal is noted, the next one is not caught; training stops after the step."""

import signal
import threading
import types

import pytest

from kgen import callbacks


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_is_not_caught(number):
    seen = []
    previous = signal.signal(number, lambda *_: seen.append("previous"))
    try:
        interrupt = callbacks.Interrupt()
        interrupt.on_train_begin()
        signal.raise_signal(number)
        assert interrupt.asked and seen == []
        signal.raise_signal(number)
        assert seen == ["previous"]
        interrupt.close()
        signal.raise_signal(number)
        assert seen == ["previous"] * 2
    finally:
        signal.signal(number, previous)


def test_training_stops_after_the_step_in_which_it_was_asked():
    trainer = types.SimpleNamespace(stop_training=False)
    interrupt = callbacks.Interrupt(start=10)
    interrupt.set_model(trainer)
    interrupt.on_train_batch_end(0)
    assert not trainer.stop_training
    interrupt.asked = True
    interrupt.on_train_batch_end(1)
    assert trainer.stop_training


def test_a_thread_leaves_signals_alone():
    before = signal.getsignal(signal.SIGINT)
    interrupt = callbacks.Interrupt()
    thread = threading.Thread(target=interrupt.on_train_begin)
    thread.start()
    thread.join()
    interrupt.close()
    assert signal.getsignal(signal.SIGINT) is before
