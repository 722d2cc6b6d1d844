"""What tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data():
    """The folder of official archives; a test that needs one of them skips where it is not there."""
    folder = Path(os.environ.get("KGEN_DATA_DIR") or Path(__file__).parents[2] / "shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set KGEN_DATA_DIR")
    return folder


def pytest_itemcollected(item):
    """Keeps a file's tests, which share runs and exports, in one process; all but those of the longest file."""
    if item.path.stem != "test_every_model":
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
