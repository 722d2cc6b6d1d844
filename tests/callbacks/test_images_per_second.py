"""The speed in the logs."""

from unittest import mock

from kgen.callbacks import ImagesPerSecond


def test_images_of_the_epoch_by_its_seconds():
    callback, logs = ImagesPerSecond(64), {}
    with mock.patch("time.perf_counter", side_effect=[10.0, 12.0]):
        callback.on_epoch_begin(0)
        callback.on_train_batch_end(3, logs)
        assert logs == {"images_per_second": 4 * 64 / 2}
        callback.on_epoch_end(0, logs)
    assert logs == {"images_per_second": 4 * 64 / 2}  # the time of a validation is not counted
