"""kgen models: every recipe under its paper, and one described."""

import subprocess
import sys

import pytest

from kgen.core import recipe as recipes


def test_every_recipe_has_a_line_under_its_paper(call):
    code, out, errors = call("models")
    assert (code, errors) == (0, "")
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert sorted(listed) == recipes.names() and len(set(listed)) == len(listed)
    for line in out.splitlines():
        assert len(line) <= 120 and (not line.startswith("  ") or len(line.split()) > 2), line
    paper = out.split("\n\n")[[block.startswith("Wasserstein GAN.") for block in out.split("\n\n")].index(True)]
    assert paper.splitlines()[0].startswith("Wasserstein GAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875")
    assert [line.split()[0] for line in paper.splitlines()[1:]] == ["wgan"]


def test_a_sentence_is_of_the_recipes_own_item_in_its_file(call):
    _, out, _ = call("models")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line.startswith("  ")}
    assert lines["dcgan"] == "made for the 4,500 digits of mnist5k and two CPU cores, 32 channels at the largest map"
    assert lines["wgan"] == "Wasserstein GAN with weight clipping, Arjovsky et al. 2017"  # of its class
    assert lines["acai-vae"] == "the variational autoencoder (Kingma and Welling 2014)"


def test_a_recipe_is_described_with_the_way_to_its_numbers(call):
    code, out, _ = call("models", "lsgan")
    assert code == 0 and out.startswith("Least Squares Generative Adversarial Networks. Mao et al. 2017, arXiv:")
    assert out.endswith(
        "python scripts/train.py --model lsgan --dry-run\nIts flags: python scripts/train.py --model lsgan --help\n"
    )


@pytest.mark.parametrize("name, near", [("dcgna", "Did you mean dcgan?"), ("", "There are: acai, ")])
def test_a_model_that_there_is_not_is_named(name, near, call):
    code, out, errors = call("models", name)
    assert (code, out) == (2, "") and near in errors


@pytest.mark.parametrize("command", ["models", "datasets", "completion"])
def test_tensorflow_is_not_imported(command):
    arguments = ["bash"] if command == "completion" else []
    code = f"""
import sys
from kgen.cli import {command}
{command}.main({arguments})
assert not {{"tensorflow", "keras", "tensorflow_datasets"}} & set(sys.modules)"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
