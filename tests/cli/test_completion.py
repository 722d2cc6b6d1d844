"""kgen completion: the script is sourced by shells, which then complete command lines."""

import shutil
import subprocess

import pytest

from kgen import data
from kgen.cli import completion, main
from kgen.core import recipe as recipes


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "kgen"
    path.write_text(completion.script())
    return path


def completed(script, *words):
    """Returns what bash offers for the last of the words, in order."""
    ask = """source "$0"; COMP_WORDS=(kgen "$@"); COMP_CWORD=$#; _kgen
    for word in "${COMPREPLY[@]}"; do echo "$word"; done"""
    return subprocess.run(
        ["bash", "-c", ask, script, *words], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def flags_in_help(call, *words):
    """Returns the flags that `--help` names, without those that undo another."""
    code, out, _ = call(*words, "--help")
    assert code == 0
    named = [line.split() for line in out.splitlines() if line[1:3] == " -" and "-----" not in line]
    return {word.strip(",") for words in named for word in words if word.startswith("--")}


def test_commands_models_and_datasets_are_offered(script):
    assert completed(script, "") == main.names()
    assert completed(script, "tr") == ["train"]
    for command in ("train", "search", "crossvalidate"):
        assert completed(script, command, "--model", "") == recipes.names()
    assert completed(script, "train", "--steps", "5", "--model", "dcg") == ["dcgan", "dcgan-faces", "dcgan-report004"]
    assert completed(script, "models", "vq") == ["vq-vae"]
    assert completed(script, "train", "--dataset", "mni") == ["mnist", "mnist5k"]
    assert completed(script, "check", "")[: len(data.names())] == data.names()
    assert completed(script, "completion", "b") == ["bash"]


def test_values_of_flags_are_offered(script):
    assert completed(script, "train", "--jit", "") == ["auto", "on", "off"]
    assert completed(script, "export", "--format", "o") == ["onnx"]
    assert completed(script, "sample", "--run", "la") == ["latest"]
    assert set(completed(script, "train", "--initial", "")) == {"normal", "paper", "uniform"}  # of several papers


def test_nothing_is_offered_where_a_path_or_a_number_stands_so_that_the_shell_offers_files(script):
    assert completed(script, "sample", "--out", "pict") == []
    assert completed(script, "train", "--steps", "5") == []
    assert completed(script, "nosuchcommand", "") == []


@pytest.mark.parametrize("model", ["dcgan", "vae-conv", "vq-vae", "classifier"])
def test_the_flags_of_the_model_that_is_named_are_those_of_its_help(script, call, model):
    assert set(completed(script, "train", "--model", model, "--")) == offered(
        flags_in_help(call, "train", "--model", model)
    )


@pytest.mark.parametrize("command", [name for name in main.names() if name not in ("train", "search", "crossvalidate")])
def test_the_flags_of_a_command_are_those_of_its_help(script, call, command):
    assert set(completed(script, command, "--")) == offered(flags_in_help(call, command))


def offered(flags):
    """Returns flags without the one of `--x, --no-x` that is the default."""
    return {flag for flag in flags if not flag.startswith("--no-") or flag in DEFAULT_ON} - {
        flag.replace("--no-", "--") for flag in DEFAULT_ON if flag in flags
    }


DEFAULT_ON = {"--no-calibration", "--no-train-best", "--no-judge-reconstructions"}


def test_without_a_model_the_flags_are_those_of_the_commands_own(script):
    assert "--first-norm" in completed(script, "train", "--f")
    assert "--prune-every" in completed(script, "search", "--pr")


def test_the_commands_print_scripts(call):
    code, out, errors = call("completion", "bash")
    assert (code, errors) == (0, "") and out == completion.script()
    code, zsh, _ = call("completion", "zsh")
    assert code == 0 and zsh == completion.ZSH + out
    code, out, errors = call("completion", "fish")
    assert (code, out) == (2, "") and "bash" in errors


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_reads_its_script(tmp_path):
    (tmp_path / "kgen").write_text(completion.ZSH + completion.script())
    ask = """source "$0"; setopt ksharrays; COMP_WORDS=(kgen train --model dcg); COMP_CWORD=3; _kgen
    print -l "${COMPREPLY[@]}\""""
    done = subprocess.run(["zsh", "-fc", ask, tmp_path / "kgen"], check=True, capture_output=True, text=True)
    assert {"dcgan", "dcgan-faces"} <= set(done.stdout.split())  # outside of its editor zsh does not leave out others
