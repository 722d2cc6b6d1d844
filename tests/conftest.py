"""What tests share."""

import os
import zlib
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_of_pictures(tmp_path_factory):
    """Decoded pictures go into a folder of the tests', and not into that of the user."""
    os.environ["KGEN_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_data():
    """The folder of official archives; a test that needs one of them skips where it is not there."""
    folder = os.environ.get("KGEN_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real data: KGEN_DATA_DIR must name the folder of the official archives")
    return Path(folder)


@pytest.fixture(scope="session")
def class_conditional(tmp_path_factory):
    """`(game, folder of its export)` of a small generator that is told the class."""
    from tests.helpers.class_conditional import exported

    return exported(tmp_path_factory.mktemp("class-conditional"))


@pytest.fixture(scope="session")
def autoencoder(tmp_path_factory):
    """The run directory of a tiny autoencoder, which tests leave as it is."""
    from tests.helpers import tiny_runs

    return tiny_runs.autoencoder(tmp_path_factory.mktemp("autoencoder"))


def pytest_addoption(parser):
    parser.addoption("--slice", metavar="K/N", help="run every N-th test by its name, those whose checksum leaves K")


def pytest_collection_modifyitems(config, items):
    """Keeps the tests of --slice; which ones is a function of their names alone."""
    given = config.getoption("--slice")
    if not given:
        return
    number, parts = map(int, given.split("/"))
    chosen = [item for item in items if zlib.crc32(item.nodeid.partition("@")[0].encode()) % parts == number % parts]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_itemcollected(item):
    """Keeps a file's tests, which share runs and exports, in one process; all but those of the longest file.

    Tests in a browser are slow ones.
    """
    if "browser" in item.fixturenames:
        item.add_marker(pytest.mark.slow)
    if item.path.stem != "test_every_model":
        item.add_marker(pytest.mark.xdist_group(str(item.path)))
