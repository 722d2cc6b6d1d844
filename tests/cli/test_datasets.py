"""kgen datasets: what there is, what is on this machine, and how to get the rest."""

import numpy as np
import pytest

from kgen import data

MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


@pytest.fixture
def rows(call, monkeypatch, tmp_path):
    """Returns a function from flags to `({name: the cells of its line}, the lines below the table)`."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))

    def read(*flags):
        code, out, errors = call("datasets", *flags)
        assert (code, errors) == (0, "")
        table, _, below = out.partition("\n\n")
        cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()]
        assert cells[0] == ["--dataset", "here", "images", "size", "classes"]
        return {line[0].partition(":")[0]: line[1:] for line in cells[1:]}, below.splitlines()

    return read


def test_every_dataset_has_a_line_and_what_is_not_here_has_a_way(rows):
    table, below = rows()
    assert list(table) == data.names()
    here = {name: cells[0] for name, cells in table.items()}
    assert [name for name, cell in here.items() if cell == "yes"] == [
        "folder",
        "lines",
        "mnist5k",
        "ring",
        "shapes",
        "shards",
    ]
    assert [name for name, cell in here.items() if cell == "no"] == ["celeba", "cifar10", "mnist", "tfds"]
    assert [line.partition(":")[0] for line in below[1:]] == ["celeba", "cifar10", "mnist", "tfds"]
    assert all("--data-dir DIR" in line for line in below[1:])


@pytest.mark.parametrize("name", ["mnist5k", "lines", "ring"])
def test_what_is_said_of_a_dataset_is_true(rows, name):
    _, counts, size, classes = rows()[0][name]
    for count in counts.split(", "):
        number, split = count.split()
        found = data.load(name, split)
        assert len(found.images) == int(number.replace(",", ""))
        assert f"{found.images.shape[1]}x{found.images.shape[2]} grey" == size and found.images.shape[3] == 1
        assert classes == (str(len(found.classes)) if found.classes else "none")
        assert found.labels is None or len(np.unique(found.labels)) == len(found.classes)


@pytest.mark.parametrize(
    "name, files",
    [
        ("mnist", [f"mnist/{name}-ubyte.gz" for name in MNIST]),
        ("cifar10", ["cifar-10-binary.tar.gz"]),
        ("celeba", ["celeba/some_faces.zip"]),
        ("celeba", ["img_align_celeba/img_align_celeba/000001.jpg"]),
    ],
)  # fmt: skip
def test_files_in_the_data_directory_are_seen(rows, tmp_path, name, files):
    folder = tmp_path / "archives"
    for file in files:
        assert not folder.exists() or rows("--data-dir", folder)[0][name][0] == "no"  # the files before are not enough
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    table, below = rows("--data-dir", folder)
    assert table[name][0] == "yes" and not any(line.startswith(name) for line in below)
    assert rows()[0][name][0] == "no"


@pytest.mark.parametrize("name, prepared", [("mnist", "mnist"), ("cifar10", "cifar10"), ("celeba", "celeb_a")])
def test_what_tensorflow_datasets_has_prepared_is_seen(rows, tmp_path, name, prepared):
    place = tmp_path / "tfds" / prepared / "3.0.1"
    place.mkdir(parents=True)
    assert rows()[0][name][0] == "no"  # a download that was cut off
    (place / "dataset_info.json").touch()
    assert rows()[0][name][0] == "yes"


def test_a_data_directory_that_there_is_not_is_named(call):
    code, out, errors = call("datasets", "--data-dir", "nowhere")
    assert (code, out) == (2, "") and errors.endswith("The data directory nowhere does not exist.\n")
