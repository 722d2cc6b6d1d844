"""scripts/interpolate.py on a known generator: its files, its flags, and a sentence for every mistake."""

import os
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kgen.inference import ends, interpolation, loading
from tests.helpers import commands, generators, processes


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs the script in an empty folder, as a shell would, on a fake source; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own
    (tmp_path / "folder").mkdir()

    def run(*arguments, source):
        def opened(path, trust):
            source.asked.append(("load", path))
            source.trusted = trust
            return types.SimpleNamespace(generator=source)

        monkeypatch.setattr(loading, "load", opened)
        return commands.call(monkeypatch, capsys, "interpolate", *arguments)

    return run


def test_trust_is_passed_on(call):
    source = generators.Pixels()
    assert call("--saved-model", "exported", "--trust", source=source)[0] == 0 and source.trusted is True


def test_the_script_by_default(call, tmp_path):
    source = generators.Pixels()
    code, out, errors = call("--saved-model", "exported", source=source)
    assert (code, errors) == (0, "")
    assert out == "interpolation.png and interpolation.gif, 64 frames of linear, spherical, pixels from exported\n"
    assert source.asked[:2] == [("load", Path("exported")), ("latents", 0, None)] and source.trusted is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "interpolation.gif", "interpolation.png"]
    picture, gif = Image.open("interpolation.png"), Image.open("interpolation.gif")
    assert picture.size == (64 * 2, 3 * 2)
    assert gif.size == (3 * 2, 2)
    assert gif.n_frames == 64
    whole = interpolation.strip(interpolation.films(source, 0, "all", np.linspace(0, 1, 64)))
    np.testing.assert_array_equal(picture, whole[..., 0])


def test_the_script_with_every_flag(call):
    source = generators.Pixels(classes=("cat", "dog"))
    flags = "--run x --kind linear --until 10 --frames 5 --seed 3 --class dog --out folder/way.gif".split()
    assert call(*flags, source=source) == (0, "folder/way.png and folder/way.gif, 5 frames of linear from x\n", "")
    assert source.asked == [("load", Path("x")), ("latents", 3, 1), ("decode", 5, 1)]
    expected = interpolation.films(source, 3, "linear", [0, 2.5, 5, 7.5, 10], 1)
    np.testing.assert_array_equal(Image.open("folder/way.png"), interpolation.strip(expected)[..., 0])


class Sheet(generators.Pixels):
    """Draws nine images of a seed, whose latents are its number and theirs."""

    def latents(self, seed, count, label=None):
        assert (seed, count, label) == (4, 9, None)
        return np.stack([np.full(4, (1 + number) / 10, np.float32) for number in range(9)])

    def draw(self, seed, count, label=None):
        return self.decode(self.latents(seed, count, label))

    def sheet(self, count, label):
        assert (count, label) == (None, None)
        return 9, 3


def test_ends_are_picked_on_the_sheet_and_framed_there(call, tmp_path):
    flags = "--run x --from 1,3 --to 3,2 --seed 4 --kind linear --frames 3 --out way".split()
    code, _, errors = call(*flags, source=Sheet())
    assert (code, errors) == (0, "")
    film = np.asarray(Image.open("way.png"))[0, ::2] / 255
    np.testing.assert_allclose(film, [0.3, 0.55, 0.8], atol=0.003)
    sheet = np.asarray(Image.open("way-sheet.png"))
    assert sheet.shape == (6, 6, 3)
    assert sheet[0, 4].tolist() == list(ends.BLUE) and sheet[4, 2].tolist() == list(ends.RED)
    np.testing.assert_array_equal(sheet[:2, :2], np.full((2, 2, 3), 26))


def test_a_cell_beyond_the_sheet_is_a_sentence(call):
    code, _, errors = call(*"--run x --from 1,3 --to 4,1 --seed 4".split(), source=Sheet())
    assert code == 2 and "--to 4,1 lies outside of the sheet, which has 3 rows and 3 columns." in errors


def test_the_script_finds_the_latest_run(call, tmp_path):
    (tmp_path / "runs/gan-mnist-0001").mkdir(parents=True)
    (tmp_path / "runs/gan-mnist-0001/recipe.json").write_text("{}")
    code, out, _ = call("--run", "latest", source=generators.Pixels())
    assert code == 0 and out.endswith(f"from {os.path.join('runs', 'gan-mnist-0001')}\n")


@pytest.mark.parametrize(
    "line, words",
    [
        ("", "Give either --run or --saved-model."),
        ("--run x --saved-model y", "Give either --run or --saved-model."),
        ("--run latest", "There is no run in runs"),
        ("--run x --kind cubic", "--kind"),
        ("--run x --frames 1", "--frames must be from 2 to 1000, not 1."),
        ("--run x --frames 1001", "--frames must be from 2 to 1000, not 1001."),
        ("--run x --until 0", "--until must be above 0 and at most 100, not 0.0."),
        ("--run x --until 101", "--until must be above 0 and at most 100, not 101.0."),
        ("--run x --until nan", "--until must be above 0 and at most 100, not nan."),
        ("--run x --seed -1", "--seed must be from 0 to 2147483647, not -1."),
        ("--run x --seed 2147483648", "--seed must be from 0 to 2147483647, not 2147483648."),
        ("--run x --from 1,2", "Give both --from and --to, or neither."),
        ("--run x --from 1,2 --to 3", "--to must be a row and a column of the sheet of samples, such as 3,5, not 3."),
        ("--run x --out nowhere/way", "--out nowhere/way: there is no folder nowhere."),
        ("--run x --out way.jpg", "--out must end in .png, .gif or neither, and names both files, not way.jpg."),
        ("--run x --out folder", "--out folder is a folder: give a name in it, such as folder/interpolation.png."),
        ("--run x --out .", "--out . is a folder: give a name in it, such as interpolation.png."),
    ],
)
def test_a_mistake_is_a_sentence_before_the_source_is_opened(line, words, call, tmp_path):
    source = generators.Pixels()
    code, out, errors = call(*line.split(), source=source)
    assert (code, out, source.asked) == (2, "", [])
    assert words in " ".join(errors.split())
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize(
    "classes, flags, words",
    [
        (("cat", "dog"), [], "This generator makes one class at a time: give --class, of cat, dog."),
        ((), ["--class", "dog"], "no dog"),
    ],
)
def test_a_class_for_those_that_have_classes(classes, flags, words, call):
    code, out, errors = call("--run", "x", *flags, source=generators.Pixels(classes=classes))
    assert (code, out, errors) == (2, "", f"interpolate.py: {words}\n")


def test_a_mistake_costs_no_tensorflow(tmp_path):
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print([name for name in ('tensorflow', 'keras') if name in sys.modules]))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, processes.SCRIPTS / "interpolate.py", "--run", "x", "--frames", "1"]
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "[]\n")
    assert done.stderr == "interpolate.py: --frames must be from 2 to 1000, not 1.\n"
