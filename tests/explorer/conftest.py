"""The page of small exports in a real browser, started once for all tests of this folder."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import NamedTuple

import pytest

from kgen.core import recipe as recipes
from kgen.export.saved_model import export
from tests.helpers import processes
from tests.helpers.recipes import new_trainer, shrink

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"


class Opened(NamedTuple):
    """A page in the browser, its address without parameters, and the export it explores."""

    page: object
    address: str
    path: object


def start(port, *flags):
    """Starts scripts/explore.py on a port; returns the process once it answers."""
    command = [sys.executable, processes.SCRIPTS / "explore.py", *flags, "--port", str(port)]
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}  # NiceGUI heeds it
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=plain)
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
            return process
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, process.communicate()[1].decode()[-2000:]
            time.sleep(0.1)
    raise AssertionError("the page did not open")


def stop(process):
    """Ends a page as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Where the exports are: `vae` in two versions, and `acgan`."""
    root = tmp_path_factory.mktemp("exports")
    for name, seed in (("vae", 0), ("vae", 1), ("acgan", 0)):
        export(new_trainer(name, seed=seed).best_game(), shrink(recipes.find(name)), 2, root, name)
    return root


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason='a browser is driven by pip install -e ".[test]"')
    pytest.importorskip("nicegui", reason='the page needs pip install -e ".[ui]"')
    if BROWSER is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=BROWSER, args=ARGUMENTS.split())
        yield found
        found.close()


@pytest.fixture(scope="session")
def served(root, browser):
    """`{export: address}` of the pages that run; a page is started when it is first asked for."""
    found, started = {}, []

    def address(name, *flags):
        if name not in found:
            port = free_port()
            started.append(start(port, "--saved-model", root / name / "1", *flags))
            found[name] = f"http://127.0.0.1:{port}"
        return found[name]

    yield address
    for process in started:
        stop(process)


@pytest.fixture
def vae(served, root, browser):
    """The page of an autoencoder with a prior, beside its second version."""
    return _fresh(browser, served("vae", "--beside", root / "vae" / "2"), root / "vae" / "1")


@pytest.fixture
def acgan(served, root, browser):
    """The page of a class-conditional generator."""
    return _fresh(browser, served("acgan"), root / "acgan" / "1")


def _fresh(browser, address, path):
    """Opens a page in a context of its own, as a visitor who was never there."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
    page.goto(address)
    page.wait_for_selector("#picture[src]")
    return Opened(page, address, path)
