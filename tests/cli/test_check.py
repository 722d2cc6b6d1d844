"""kgen check: every picture of a folder or an archive, good and bad."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """Two classes of three, in train/ and test/."""
    for split in ("train", "test"):
        for number, name in enumerate(("cat", "dog")):
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for i in range(3):
                Image.fromarray(np.full((8, 8), 50 * number + 9 * i, np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize("prefix", ["", "folder:"])
def test_every_split_is_read_and_described(pictures, call, prefix):
    code, out, errors = call("check", f"{prefix}{pictures}", "--image-size", 8)
    assert (code, errors) == (0, "")
    assert out.splitlines() == [
        f"{split}: 6 images 8x8x1, all can be used; classes cat (3), dog (3)" for split in ("train", "test")
    ]


def test_every_bad_picture_is_named_and_the_exit_code_is_2(pictures, call):
    bad = [pictures / split / f"cat/bad{i}.png" for split, count in (("train", 24), ("test", 1)) for i in range(count)]
    for path in bad:
        path.write_text("no picture")
    code, out, errors = call("check", pictures)
    assert code == 2
    named = [line.partition(": unreadable")[0] for line in out.splitlines() if ": unreadable" in line]
    assert sorted(named) == sorted(map(str, bad))
    assert "train: 24 of 30 pictures cannot be used" in out and "test: 1 of 7 pictures cannot be used" in out
    assert errors.endswith("25 bad pictures. Remove or replace them, or train without them by --skip-bad.\n")


def test_training_stops_before_there_is_a_run_or_skips_what_is_bad(pictures, call, tmp_path):
    (pictures / "train/cat/bad.png").touch()
    small = ["--dataset", f"folder:{pictures}", "--image-size", 32, "--width", 4, "--latent-dim", 4, "--steps", 1]
    code, _, errors = call("train", *small, "--batch-size", 4)
    assert code == 2 and "cat/bad.png: unreadable" in errors and "--skip-bad" in errors
    assert not (tmp_path / "runs").exists()
    code, _, errors = call("train", *small, "--batch-size", 4, "--skip-bad")
    assert code == 0 and "1 of 7 pictures are left out" in errors


def test_transparent_pictures_need_a_background(pictures, call):
    Image.new("LA", (8, 8), (9, 100)).save(pictures / "train/cat/glass.png")
    code, out, _ = call("check", pictures)
    assert code == 2 and "glass.png: has transparent pixels" in out and "--background white" in out
    code, out, _ = call("check", pictures, "--background", "white", "--image-size", "8x12")
    assert code == 0 and out.startswith("train: 7 images 8x12x1, all can be used")


def test_an_embedded_dataset_is_checked_too(call):
    code, out, _ = call("check", "mnist5k")
    assert code == 0
    assert out.startswith("train: 4500 images 28x28x1, all can be used; classes 0 (450), 1 (450)")


def test_a_dataset_that_there_is_not_is_named(call):
    code, out, errors = call("check", "nowhere")
    assert (code, out) == (2, "") and "There is no dataset 'nowhere'" in errors
