"""Published attacks against every function of kgen that opens files from elsewhere, and against the pinned Keras."""

import gzip
import hashlib
import json
import shutil

import pytest

import kgen
from kgen.data import archives
from kgen.errors import UsageError
from kgen.images.files import decode
from kgen.metrics import inception_network
from kgen.serving.models import Models, Refused
from tests.helpers import attacks
from tests.helpers.commands import call
from tests.helpers.keras_files import loads

NAMES = sorted(attacks.ATTACKS)
KERAS = sorted(name for name, attack in attacks.ATTACKS.items() if attack.stopped is not None)


@pytest.fixture
def attack(request, tmp_path):
    """`(attack, its file, the marker that it plants)`."""
    (tmp_path / "theirs").mkdir()
    found, marker = attacks.ATTACKS[request.param], tmp_path / "marker.png"
    path = found.write(tmp_path / "theirs", marker)
    assert not marker.exists()
    return found, path, marker


@pytest.mark.parametrize("attack", NAMES, indirect=True)
def test_each_attack_is_live(attack):
    how, path, marker = attack
    try:
        found = how.read(path)
    except MemoryError:  # of those that want too much of it
        return
    assert attacks.harmed(marker, found)


@pytest.mark.parametrize("attack", KERAS, indirect=True)
def test_what_the_pinned_keras_stops(attack):
    how, path, marker = attack
    if how.stopped:
        with pytest.raises((ValueError, TypeError, ModuleNotFoundError)):
            loads(path)
        assert not marker.exists()
    else:  # docs/safety.md says so; a Keras that stops it fails here, and the page is put right
        assert attacks.harmed(marker, loads(path))


def as_itself(path, folder, run):
    kgen.load(path)


def as_an_export(path, folder, run):
    """Loads the file in the place of saved_model.pb, or the folder as the export that it is."""
    if path.is_file():
        (folder / "1").mkdir()
        path = shutil.copy(path, folder / "1/saved_model.pb").parent
    kgen.load(path)


def as_a_served_export(path, folder, run):
    (folder / "model").mkdir()
    if path.is_dir():
        shutil.copytree(path, folder / "model/1")
    else:
        (folder / "model/1").mkdir()
        shutil.copy(path, folder / "model/1/saved_model.pb")
    Models(folder).resolve("model")


def as_a_checkpoint(path, folder, run):
    kgen.load(with_checkpoint(path, folder, run))


def with_checkpoint(path, folder, run):
    """Returns a run whose only checkpoint is the file, with the SHA-256 that its manifest names."""
    copied = shutil.copytree(run, folder / "run")
    (place,) = (copied / "checkpoints").iterdir()
    content = (path if path.is_file() else path / "saved_model.pb").read_bytes()
    (place / "state.safetensors").write_bytes(content)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    (place / "manifest.json").write_text(json.dumps(manifest))
    return copied


def as_weights(path, folder, run):
    inception_network.read(path)


def as_a_tar(path, folder, run):
    """Reads a .tar.gz of at most 100 MB, as the readers of datasets do; another file is packed to be one."""
    if path.suffix != ".gz" and path.is_file():
        path = shutil.copy(path, folder / "other")
        (folder / "packed.tar.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = folder / "packed.tar.gz"
    archives.read_tar(path, {"images": 100}, 100_000_000)


def as_a_zip(path, folder, run):
    archives.Zip(path, 1_000_000, 100_000_000)
    raise UsageError("Only its names were read.")  # a .keras file is a zip archive


def as_a_picture(path, folder, run):
    try:
        decode(path)
    except ValueError as error:  # the reader of folders puts it into a list of bad pictures
        raise UsageError(str(error)) from error


def as_a_network(path, folder, run):
    """Loads a .keras file as a model of kgen."""
    kgen.load_model(path)


PLACES = [
    as_itself, as_an_export, as_a_served_export, as_a_checkpoint, as_weights, as_a_tar, as_a_zip, as_a_picture,
    as_a_network,
]  # fmt: skip


KERAS = [as_itself, as_an_export, as_a_network]


# Readers of other kinds of files are slow tests.
@pytest.mark.parametrize(
    "place", [*KERAS, *(pytest.param(place, marks=pytest.mark.slow) for place in PLACES if place not in KERAS)]
)
@pytest.mark.parametrize("attack", NAMES, indirect=True)
@pytest.mark.filterwarnings("ignore:The checkpoint of step")
def test_nothing_of_kgen_falls_for_an_attack(attack, place, autoencoder, tmp_path):
    _, path, marker = attack
    (tmp_path / "ours").mkdir()
    with pytest.raises((UsageError, Refused)):
        place(path, tmp_path / "ours", autoencoder)
    assert not marker.exists()


@pytest.mark.parametrize(
    "attack", ["pickle", *(pytest.param(name, marks=pytest.mark.slow) for name in ("objects", "graph"))], indirect=True
)
@pytest.mark.parametrize(
    "command",
    [
        ("train", "--resume", "RUN"),
        ("finetune", "--run", "RUN"),
        ("sample", "--run", "RUN"),
        ("export", "--run", "RUN"),
        ("evaluate", "--run", "RUN"),
        ("evaluate", "--run", "OURS", "--metrics", "fid", "--classifier", "RUN"),
        ("evaluate", "--run", "OURS", "--metrics", "fid", "--inception", "FILE"),
    ],
    ids=" ".join,
)
@pytest.mark.filterwarnings("ignore:The checkpoint of step")
def test_no_command_falls_for_an_attack(attack, command, autoencoder, tmp_path, monkeypatch, capsys):
    _, path, marker = attack
    places = {"RUN": with_checkpoint(path, tmp_path, autoencoder), "FILE": path, "OURS": autoencoder}
    monkeypatch.chdir(tmp_path)
    code, _, told = call(monkeypatch, capsys, *[places.get(word, word) for word in command])
    assert code == 2 and told.strip()
    assert not marker.exists()
