"""Lists the recipes with their papers, or describes one: kgen models dcgan"""

import inspect
import re
import textwrap
from dataclasses import dataclass

import tyro

from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.errors import again

WIDTH = 92  # of what is said of a recipe


@dataclass(frozen=True)
class Options:
    """Lists every recipe under its paper; or prints what is known of one recipe's paper, and its numbers."""

    model: tyro.conf.Positional[str | None] = None  # A recipe.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    model = parsing.parse(Options, arguments).model
    print(listed() if model is None else described(model))
    return 0


def listed() -> str:
    """Returns the first line of each paper's file, and below it a line for each of its recipes."""
    lines = []
    for paper in recipes.papers():
        text = inspect.getdoc(paper)
        lines += ["", text.splitlines()[0], *(f"  {name:26}{summary(name, text)}" for name in paper.RECIPES)]
    return "\n".join([*lines[1:], "", f"More of one: {again('models', 'dcgan')}"])


def described(model: str) -> str:
    """Returns what a paper's file says of itself, and how to see and set the numbers of its recipe `model`."""
    recipes.find(model)  # names the nearest if there is none
    paper = next(paper for paper in recipes.papers() if model in paper.RECIPES)
    train = again("train", "--model", model)
    return f"{inspect.getdoc(paper)}\n\nThe numbers of {model}: {train} --dry-run\nIts flags: {train} --help"


def summary(name: str, text: str) -> str:
    """Returns a sentence on a recipe: from the list in its file's docstring `text`, else of its class."""
    item = re.search(rf"^- [^:]*`{name}`[^:]*: (.+?)(?=\n- |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    words = " ".join((item[1] if item else inspect.getdoc(type(recipes.find(name)))).split())
    return textwrap.shorten(re.split(r"(?<!et al)[.;](?: |$)", words)[0], WIDTH, placeholder=" ...")
