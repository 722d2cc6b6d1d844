"""kgen sample draws one class, or a sheet of all."""

import types

import numpy as np
import pytest
from PIL import Image

from kgen import data, images
from kgen.core import requests
from kgen.errors import UsageError
from kgen.inference import loading


@pytest.fixture(scope="module")
def exported(class_conditional):
    return class_conditional[1]


@pytest.fixture(scope="module")
def source(exported):
    return loading.load(exported).generator


@pytest.mark.slow
def test_the_script_draws_one_class(exported, source, tmp_path):
    from kgen.cli import sample

    for name, arguments, label in (("one", ["--class", "seven", "--count", "4"], 7), ("all", ["--count", "4"], None)):
        out = tmp_path / f"{name}.png"
        sample.main(["--saved-model", str(exported), "--seed", "3", "--out", str(out), *arguments])
        tiles = np.asarray(Image.open(out)).reshape(2, 32, 2, 32).swapaxes(1, 2).reshape(4, 32, 32, 1)
        assert np.abs(tiles - source.draw(3, 4, label) * 255).max() <= 0.51
    sample.main(["--saved-model", str(exported), "--out", str(tmp_path / "sheet.png")])
    assert Image.open(tmp_path / "sheet.png").size == (320, 320)


def test_a_folder_gets_a_file_an_image_below_its_class(exported, source, tmp_path):
    from kgen.cli import sample

    count = requests.LIMIT + 44  # in two parts
    sample.main(["--saved-model", str(exported), "--seed", "3", "--out", str(tmp_path / "all"), "--count", str(count)])
    expected = images.to_bytes(source.draw(3, count))
    files = sorted((tmp_path / "all").rglob("*.png"), key=lambda path: path.name)
    assert [path.name for path in files] == [f"{i:06d}.png" for i in range(count)]
    assert [path.parent.name for path in files] == [
        source.classes[i * len(source.classes) // count] for i in range(count)
    ]
    pixels = [np.asarray(Image.open(path)).reshape(expected.shape[1:]) for path in files]
    np.testing.assert_array_equal(pixels, expected)
    read = data.load(f"folder:{tmp_path / 'all'}", size=expected.shape[1])
    assert len(read.images) == count and set(read.classes) == set(source.classes)


def test_a_folder_of_one_class_has_that_class_alone(exported, source, tmp_path):
    from kgen.cli import sample

    sample.main(["--saved-model", str(exported), "--class", "seven", "--count", "3", "--out", str(tmp_path / "v1.0")])
    assert sorted(str(path.relative_to(tmp_path / "v1.0")) for path in (tmp_path / "v1.0").rglob("*.png")) == [
        f"seven/00000{i}.png" for i in range(3)
    ]


def test_a_class_that_would_leave_the_folder_is_refused(source, tmp_path):
    from kgen.cli import sample

    strange = types.SimpleNamespace(classes=("a", "../b"), stream=None)
    with pytest.raises(UsageError, match=r"The class '\.\./b' cannot name a folder"):
        sample.save_each(strange, 0, 2, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--out", "folder", "--scores"], "--scores prints on a sheet: give a PNG file as --out."),
        (["--count", "257", "--scores"], "--scores takes a --count of at most 256, not 257."),
        (
            ["--count", "2", "--scores"],
            "--scores needs the --run of a GAN: exports and autoencoders have no discriminator.",
        ),
    ],
)
def test_what_cannot_be_scored_is_told(flags, words, exported, tmp_path, monkeypatch):
    from kgen.cli import sample

    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"^{words}$"):
        sample.main(["--saved-model", str(exported), *flags])
    assert list(tmp_path.iterdir()) == []
