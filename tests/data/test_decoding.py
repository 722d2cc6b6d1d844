"""What becomes of pictures that are decoded into an entry of the cache."""

import json
import os
import threading

import numpy as np
import pytest

from kgen.data import decoding
from kgen.data.decoding import Example, Examples
from kgen.errors import UsageError
from kgen.images.order import content

GREY = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 1), np.uint8)
COLOURED = np.random.default_rng(1).integers(0, 256, (6, 4, 4, 3), np.uint8)


def examples(outcomes, count=None, state=lambda: ("key", 0.0), labels=None):
    labels = labels or [-1] * len(outcomes)
    return Examples(
        "tiny", state, lambda: len(outcomes) if count is None else count, (4, 4),
        lambda: (Example(f"name {i}", i, label) for i, label in enumerate(labels)), lambda i: outcomes[i],
    )  # fmt: skip


def written(folder, *arguments, **options):
    decoding.write(examples(*arguments, **options), "key", folder)
    arrays = [np.load(folder / name) for name in (decoding.IMAGES, decoding.CONTENTS, decoding.LABELS)]
    return *arrays, json.loads((folder / decoding.BAD).read_text())


def test_coloured_pictures(tmp_path):
    images, contents, labels, bad = written(tmp_path / "a", list(COLOURED), labels=[0, 2, 1, 1, 0, 0])
    np.testing.assert_array_equal(images, COLOURED)
    assert [row.tobytes() for row in contents] == [content(image) for image in COLOURED]
    assert labels.tolist() == [0, 2, 1, 1, 0, 0] and bad == []


def test_grey_pictures_alone_have_one_channel_and_among_coloured_ones_three(tmp_path):
    images, contents, _, _ = written(tmp_path / "a", list(GREY))
    np.testing.assert_array_equal(images, GREY)
    assert [row.tobytes() for row in contents] == [content(image) for image in GREY]
    images, contents, _, _ = written(tmp_path / "b", [*GREY[:2], COLOURED[0]])
    np.testing.assert_array_equal(images, [*GREY[:2].repeat(3, axis=3), COLOURED[0]])
    assert [row.tobytes() for row in contents] == [content(image) for image in images]


def test_what_cannot_be_used_is_black_and_remembered(tmp_path):
    images, _, labels, bad = written(tmp_path / "a", ["torn", COLOURED[1], COLOURED[2], "empty"], labels=[1, 1, 0, 0])
    np.testing.assert_array_equal(images, [0 * COLOURED[0], COLOURED[1], COLOURED[2], 0 * COLOURED[0]])
    assert bad == [[0, "name 0", "torn"], [3, "name 3", "empty"]] and labels[1:3].tolist() == [1, 0]


def test_it_is_decoded_by_several_threads(tmp_path):
    both, here = threading.Barrier(min(2, os.cpu_count())), threading.local()

    def read(i):
        if not hasattr(here, "met"):
            here.met = both.wait(10)
        return COLOURED[i]

    tiny = examples(list(COLOURED))
    decoding.write(Examples(tiny.dataset, tiny.state, tiny.count, (4, 4), tiny.each, read), "key", tmp_path / "a")
    np.testing.assert_array_equal(np.load(tmp_path / "a" / decoding.IMAGES), COLOURED)


@pytest.mark.parametrize("count", [5, 7])
def test_a_wrong_count_is_refused_and_leaves_nothing(tmp_path, count):
    with pytest.raises(UsageError, match=f"tiny has 6 pictures, but says {count}"):
        written(tmp_path / "a", list(COLOURED), count=count)
    assert not list(tmp_path.iterdir())


def test_files_that_change_meanwhile_are_told(tmp_path):
    states = iter([("other", 0.0)])
    with pytest.raises(UsageError, match="have changed while they were read"):
        written(tmp_path / "a", list(COLOURED), state=lambda: next(states))
    assert not list(tmp_path.iterdir())


def test_a_disk_without_room_is_told_before_anything_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding.shutil, "disk_usage", lambda folder: type("", (), {"free": 100}))
    with pytest.raises(OSError, match="need 2.88e-07 GB, 1e-07 GB are free"):
        written(tmp_path / "a", list(COLOURED))


def test_what_a_killed_process_left_is_made_anew(tmp_path):
    (tmp_path / "a.partial").mkdir()
    (tmp_path / "a.partial" / decoding.BAD).write_text("half")
    assert written(tmp_path / "a", list(COLOURED))[3] == [] and not (tmp_path / "a.partial").exists()


def test_the_state_of_files_is_theirs(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    first, newest = decoding.states([path])
    assert newest == pytest.approx(path.stat().st_ctime, abs=1e-6) and decoding.states([path])[0] == first
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(b"two")
    os.utime(path, ns=times)  # same size, same time of modification
    assert decoding.states([path])[0] != first
    (tmp_path / "link.png").symlink_to("nowhere")
    assert decoding.states([tmp_path / "link.png"])[1] == 0
