#!/usr/bin/env python
"""Writes a page for each paper from the docstrings of its file: python scripts/docs/model_pages.py [--check]

The files are read, not imported, so nothing needs to be installed.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODELS = "kgen/models"
PAGES = "docs/models"
PICTURES = {  # what runs of a module's recipes made
    "gan_maxout": [],
    "dcgan": [
        ("digits.png", "Digits after `kgen train --model dcgan`, 3,000 steps on two cores"),
        ("faces.png", "Faces by `dcgan-faces`, CelebA 64x64"),
    ],
    "acgan": [("classes.png", "Ten classes of MNIST by `acgan`, a class in each row")],
    "infogan": [("infogan.png", "Digits by `infogan`: a discrete code in each row, a continuous one from -2 to 2")],
    "sngan_projection": [
        ("projection.png", "MNIST by a narrow `sngan-projection` after 2,060 steps, a class in each row")
    ],
    "acai": [("lines.png", "Scores on lines")],
    "report000": [("pegasi.png", "Hybrids of horses and birds by `acai-report000`")],
    "wae": [
        (
            "wae.png",
            "Test digits above reconstructions, two walks between codes, and draws after 2,500 steps of width 16",
        )
    ],
    "iwae": [("iwae.png", "Test digits above reconstructions, two walks between codes, and draws, k = 5, 15 epochs")],
    "beta_tc_vae": [
        ("shapes.png", "The dataset shapes"),
        (
            "beta-tc-vae.png",
            "Shapes above reconstructions, walks and draws after 2,500 steps of 400 units: still blurred",
        ),
    ],
    "vamp_vae": [("vamp.png", "Five rows of draws of `vamp-vae` after 3,283 steps on mnist5k, three of pseudo-inputs")],
    "autoencoder": [("code.png", "A map of the codes of `autoencoder-large`, by t-SNE")],
}
GUIDES = "[All models](../guides/models.md) | [results](../results.md) | [training](../guides/training.md)"


def papers(root: Path) -> dict[str, Path]:
    """Returns `{stem: path}` of the files of papers, and of the student reports, sorted."""
    found = (root / MODELS).rglob("*.py")
    return {path.stem: path for path in sorted(found, key=lambda path: path.stem) if path.stem != "__init__"}


def recipes(tree: ast.Module) -> dict[str, str]:
    """Returns `{name: source text}` of the recipes that a file registers in `RECIPES`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RECIPES":
            return {ast.literal_eval(key): ast.unparse(value) for key, value in zip(node.value.keys, node.value.values)}
    return {}


def linked(text: str) -> str:
    """Returns text in which arXiv numbers are links."""
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def markdown(text: str) -> str:
    """Returns a docstring as Markdown: a list needs an empty line before it, an option is code."""
    lines, previous = [], ""
    for line in text.splitlines():
        if line.startswith("- ") and previous and not previous.startswith(("- ", "  ")):
            lines.append("")
        lines.append(line)
        previous = line
    return linked("\n".join(lines))


def titled(line: str) -> tuple[str, str]:
    """Returns the title in the first line of a docstring, and what follows it."""
    title, *source = re.split(r"(?<!et al)\. ", line, maxsplit=1)
    return title.rstrip(".:"), "".join(source)


def members(tree: ast.Module) -> list[str]:
    """Returns a line for each public class and function of a file, with the first line of its docstring."""
    found = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    public = [node for node in found if not node.name.startswith("_") and ast.get_docstring(node)]
    return [f"- `{node.name}`: {ast.get_docstring(node).splitlines()[0]}" for node in public]


def page(root: Path, path: Path) -> str:
    """Returns the page of a paper's file as Markdown."""
    tree = ast.parse(path.read_text())
    first, _, rest = ast.get_docstring(tree).partition("\n")
    title, source = titled(first)
    named = recipes(tree)
    parts = [f"# {title}", linked(source), markdown(rest.strip())]
    if named:
        rows = [f"| `{name}` | `{text}` | `kgen train --model {name}` |" for name, text in named.items()]
        parts += ["## Recipes", "| `--model` | numbers that differ from the defaults | command |\n|---|---|---|"]
        parts[-1] += "".join(f"\n{row}" for row in rows)
    parts += [f"![{words}](../{name})\n\n{words}." for name, words in PICTURES.get(path.stem, [])]
    parts += ["## In the file", "\n".join(members(tree))]
    parts.append(f"Source: [{path.relative_to(root)}](../../{path.relative_to(root)}).\n\n{GUIDES}")
    return "\n\n".join(part for part in parts if part) + "\n"


def index(root: Path, found: dict[str, Path]) -> str:
    """Returns the page that lists all others."""
    lines = ["# Papers", "", "A page for each file of `kgen/models`, made from its docstrings.", ""]
    for stem, path in found.items():
        tree = ast.parse(path.read_text())
        title, _ = titled(ast.get_docstring(tree).splitlines()[0])
        names = ", ".join(f"`{name}`" for name in recipes(tree))
        lines.append(f"- [{title}]({stem}.md){f': {names}' if names else ''}")
    return "\n".join(lines) + "\n"


def pages(root: Path) -> dict[str, str]:
    """Returns `{file name: Markdown}` of all pages."""
    found = papers(root)
    return {"index.md": index(root, found), **{f"{stem}.md": page(root, path) for stem, path in found.items()}}


def complaint(root: Path) -> str:
    """Returns a sentence that names the pages which are missing, stale or superfluous; "" if there are none."""
    wanted, folder = pages(root), root / PAGES
    present = {path.name: path.read_text() for path in folder.glob("*.md")}
    missing = sorted(set(wanted) - set(present))
    stale = sorted(name for name, text in wanted.items() if present.get(name, text) != text)
    wrong = {
        "missing": missing,
        "stale": [name for name in stale if not (missing and name == "index.md")],  # a missing page makes it so
        "superfluous": sorted(set(present) - set(wanted)),
    }
    told = [f"{kind}: {', '.join(names)}" for kind, names in wrong.items() if names]
    return f"{PAGES}: {'; '.join(told)}. Run python scripts/docs/model_pages.py." if told else ""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Writes the pages, or with --check says what is wrong with them; returns the exit code."""
    if arguments == ["--check"]:
        words = complaint(root)
        print(words or f"{PAGES} is up to date.", file=sys.stderr if words else sys.stdout)
        return 1 if words else 0
    if arguments:
        print("usage: model_pages.py [--check]", file=sys.stderr)
        return 2
    folder = root / PAGES
    folder.mkdir(exist_ok=True)
    wanted = pages(root)
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
