"""The cache of decoded pictures: when it is made, when it is taken, and what happens between processes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import pytest
from PIL import Image

from kgen import data
from kgen.data import cache
from kgen.data.bad import BadImages
from kgen.errors import UsageError
from kgen.images import files
from kgen.images.stored import StoredImages


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder of 5 pictures that count as settled, one of which is damaged, and a cache of its own."""
    monkeypatch.setenv("KGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "SETTLED_SECONDS", -60)
    for i in range(5):
        path = tmp_path / f"pictures/{'ab'[i % 2]}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 6), (40 * i, 0, 9)).save(path)
    (tmp_path / "pictures/a/4.png").write_bytes(b"no picture")
    return tmp_path / "pictures"


def load(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return data.load(f"folder:{folder}", size=4, skip_bad=True, **options)


@pytest.fixture
def decoded(monkeypatch):
    """A list of the pictures that are decoded."""
    read, names = files.decode, []
    monkeypatch.setattr(files, "decode", lambda path, *more: names.append(path.name) or read(path, *more))
    return names


def test_the_second_start_decodes_nothing_and_gives_the_same(pictures, decoded):
    first = load(pictures)
    assert sorted(decoded) == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    again = load(pictures)
    assert len(decoded) == 5
    np.testing.assert_array_equal(first.images, again.images)
    assert first.labels.tolist() == again.labels.tolist() and len(first.images) == 4


def test_verdicts_are_remembered(pictures, decoded):
    for _ in range(2):
        with pytest.raises(BadImages, match=r"a/4.png: unreadable"):
            data.load(f"folder:{pictures}")
    assert len(decoded) == 5
    with pytest.warns(UserWarning, match=r"1 of 5 pictures are left out.*\n.*a/4.png: unreadable"):
        data.load(f"folder:{pictures}", skip_bad=True)


def changed(path):
    Image.new("RGB", (6, 6), (1, 2, 3)).save(path)


def replaced_in_secret(path):
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=times)


CHANGES = {
    "a file": lambda folder: changed(folder / "a/0.png"),
    "one more": lambda folder: changed(folder / "a/9.png"),
    "one less": lambda folder: (folder / "b/1.png").unlink(),
    "a class": lambda folder: (folder / "b").rename(folder / "c"),
    "same size and time": lambda folder: replaced_in_secret(folder / "a/0.png"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_folder_is_decoded_again(pictures, decoded, change):
    load(pictures)
    decoded.clear()
    change(pictures)
    assert len(load(pictures).images) in (3, 4, 5) and decoded


@pytest.mark.parametrize("options", [{"crop": "squash"}, {"background": "white"}])
def test_other_options_are_other_entries(pictures, decoded, options):
    load(pictures)
    decoded.clear()
    load(pictures, **options)
    assert len(decoded) == 5


def test_slices_and_classes_share_an_entry_and_stay_in_the_file(pictures, decoded):
    whole = load(pictures)
    part = load(pictures, split="train[1:3]", in_memory=False)
    assert isinstance(part.images, StoredImages)
    np.testing.assert_array_equal(part.images, whole.images[1:3])
    only = load(pictures, classes=("b",), in_memory=False)
    assert isinstance(only.images, StoredImages) and only.labels.tolist() == [0, 0]
    np.testing.assert_array_equal(only.images, whole.images[whole.labels == 1])
    assert len(decoded) == 5


def test_files_that_changed_just_now_are_not_kept(pictures, decoded, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "SETTLED_SECONDS", 60)
    assert len(load(pictures).images) == len(load(pictures).images) == 4
    assert len(decoded) == 10 and not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written(pictures, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache.decoding, "write", refuse)
    with pytest.warns(UserWarning, match="decoded at every start.*Permission denied.*KGEN_CACHE_DIR names another"):
        with pytest.raises(UsageError, match="TMPDIR names another folder"):
            data.load(f"folder:{pictures}", skip_bad=True)
    monkeypatch.undo()


def test_an_entry_that_another_user_made_is_read(pictures, decoded, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    first = load(pictures)
    monkeypatch.setattr(cache, "_lock", refuse)
    np.testing.assert_array_equal(load(pictures).images, first.images)
    assert len(decoded) == 5


def test_a_place_that_is_a_file_is_one_sentence(pictures, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KGEN_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="The cache .* cannot be used: .*KGEN_CACHE_DIR names another folder"):
        load(pictures)


def test_the_place(monkeypatch, tmp_path):
    monkeypatch.setenv("KGEN_CACHE_DIR", "~/mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.directory() == tmp_path / "mine"
    monkeypatch.delenv("KGEN_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.directory() == tmp_path / ".cache/kgen"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert str(cache.directory()) == "/x/kgen"


SCRIPT = """
    import sys, time
    from kgen import data
    from kgen.data import cache
    from kgen.images import files

    cache.SETTLED_SECONDS = -60
    read, slow = files.decode, float(sys.argv[2])

    def decode(*arguments):
        sys.stdout.write("decoding\\n")  # in one piece: two threads decode
        sys.stdout.flush()
        time.sleep(slow)
        return read(*arguments)

    files.decode = decode
    print(len(data.load(f"folder:{sys.argv[1]}", size=4, skip_bad=True).images), flush=True)
"""


def start(folder, slow=0.0):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), str(slow)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_second_of_two_makers_waits(pictures):
    first = start(pictures, 0.5)
    assert first.stdout.readline() == "decoding\n"
    second = start(pictures)
    out, errors = second.communicate()
    assert out == "4\n" and "Another process decodes folder-" in errors
    assert first.communicate()[0].splitlines()[-1] == "4"


def test_after_kill_9_it_is_decoded_anew(pictures, tmp_path):
    killed = start(pictures, 30)
    assert killed.stdout.readline() == "decoding\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert list((tmp_path / "cache").glob("*.partial"))
    began = time.time()
    out, _ = start(pictures).communicate()
    assert out.splitlines() == ["decoding"] * 5 + ["4"] and time.time() - began < 30
    assert not list((tmp_path / "cache").glob("*.partial"))
