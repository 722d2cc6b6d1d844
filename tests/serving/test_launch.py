"""Which server scripts/serve.py starts, and what it tells the user to paste."""

import json
import shlex
import subprocess
import sys

import pytest

from kgen.core import recipe as recipes
from kgen.export.saved_model import export
from kgen.serving import launch
from tests.helpers import processes
from tests.helpers.recipes import new_trainer, shrink


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    for name in ("gan", "autoencoder"):
        export(new_trainer(name).best_game(), shrink(recipes.find(name)), 2, root, name)
    return root


@pytest.mark.slow
def test_the_real_server_is_started_where_it_is_installed(root, tmp_path, monkeypatch):
    program = tmp_path / "tensorflow_model_server"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    command = [sys.executable, processes.SCRIPTS / "serve.py", "--exports", root, "--rest-port", "8701"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    flags = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert flags["--model_config_file"] == str(root / "models.config")
    assert (flags["--rest_api_port"], flags["--port"]) == ("8701", "8500")
    assert "Starting: " in done.stderr and str(program) in done.stderr


def test_without_it_there_is_no_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert launch.command("saved_models", 8501, 8500) is None


@pytest.mark.slow
def test_lines_to_paste(root):
    lines = launch.examples(root, 8501)
    assert lines[0] == "curl -s http://127.0.0.1:8501/v1/models/autoencoder/metadata"
    words = shlex.split(lines[1])
    assert words[:3] == ["curl", "-s", "-d"]
    assert json.loads(words[3]) == {"signature_name": "png", "inputs": {"seed": 1, "count": 4}}
    assert "http://127.0.0.1:8501/v1/models/gan:predict" in words
    compile(words[words.index("-c") + 1], "pasted", "exec")
