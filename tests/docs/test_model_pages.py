"""The pages of papers are those that their docstrings give, and each recipe has one."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kgen.core import recipe as recipes

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/docs/model_pages.py"


@pytest.fixture(scope="module")
def model_pages():
    spec = importlib.util.spec_from_file_location("model_pages", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path, model_pages):
    """A checkout with two papers and their pages."""
    for name in ("gan.py", "dcgan.py"):
        (tmp_path / "kgen/models").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "kgen/models" / name, tmp_path / "kgen/models")
    (tmp_path / "docs").mkdir()
    assert model_pages.main([], tmp_path) == 0
    return tmp_path


def test_the_pages_are_up_to_date_without_anything_installed():
    """A new paper passes without its page, so that it is one file; `.ci/run` asks for the page."""
    checked = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), "--check"], capture_output=True, text=True)
    told = checked.stdout + checked.stderr
    assert "up to date" in told or "missing: " in told, told
    assert "stale: " not in told and "superfluous: " not in told


def test_every_recipe_has_exactly_one_page(model_pages):
    texts = {name: text for name, text in model_pages.pages(ROOT).items() if name != "index.md"}
    for name in recipes.names():
        pages = [page for page, text in texts.items() if f"| `kgen train --model {name}` |" in text]
        assert len(pages) == 1, (name, pages)
        assert f"`{name}`" in model_pages.pages(ROOT)["index.md"]


def test_a_page_has_title_source_equations_recipes_and_members(root):
    text = (root / "docs/models/dcgan.md").read_text()
    assert text.startswith("# Unsupervised Representation Learning with Deep Convolutional GANs\n\nRadford")
    assert "[arXiv:1511.06434](https://arxiv.org/abs/1511.06434)" in text
    assert "- `DCGANRecipe`: " in text and "![Digits" in text
    assert "    L_D = -E[log D(x)]" in (root / "docs/models/gan.md").read_text()


def test_a_list_gets_an_empty_line_before_it(model_pages):
    assert (
        model_pages.markdown("Recipes:\n- `a`: one\n  more\n- `b`: two") == "Recipes:\n\n- `a`: one\n  more\n- `b`: two"
    )


@pytest.mark.parametrize(
    "kind, change",
    [
        ("missing: gan.md", lambda folder: (folder / "gan.md").unlink()),
        ("stale: dcgan.md", lambda folder: (folder / "dcgan.md").write_text("# Old\n")),
        ("superfluous: other.md", lambda folder: (folder / "other.md").write_text("# Other\n")),
    ],
)
def test_wrong_pages_are_named(kind, change, root, model_pages, capsys):
    assert model_pages.main(["--check"], root) == 0
    change(root / "docs/models")
    assert model_pages.main(["--check"], root) == 1
    assert kind in capsys.readouterr().err
    assert model_pages.main([], root) == 0 and model_pages.main(["--check"], root) == 0
