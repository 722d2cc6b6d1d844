#!/usr/bin/env python
"""Measures the structure of the package: python scripts/bench/structure.py

Prints, as one Markdown table, what a newcomer meets: entries of kgen/, modules, import cycles, sizes of functions and
files, docstrings, annotations, and the files that the algorithms of DCGAN and ACAI are read in.
"""

import ast
import re
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROTOCOL = ("call", "build", "get_config", "compute_output_shape", "compute_output_spec")
ARRAYS = re.compile(r"\b(Tensor|ndarray)\b")
SHAPES = re.compile(r"\([^()]*(\.\.\.|,)[^()]*\)|\((n|batch|count|size)\b|scalar|shape", re.I)
HOLDERS = (ast.Module, ast.ClassDef)
# What defines the algorithm: the paper, what it cites or calls by name for its turns, the trainer that plays it.
ALGORITHMS = {
    "DCGAN": ["models/dcgan.py", "models/gan.py", "losses/adversarial.py", "core/base_trainer.py"],
    "ACAI": [
        "models/acai.py",
        "core/autoencoding.py",
        "networks/acai.py",
        "losses/reconstruction.py",
        "core/base_trainer.py",
    ],
}


def modules():
    """Returns `{dotted name: syntax tree}` of the package."""
    paths = sorted((ROOT / "kgen").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: ast.parse(path.read_text()) for name, path in zip(names, paths, strict=True)}


def imported(tree, known):
    """Returns the kgen modules that a module imports when it is run."""
    found = set()
    run = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    for node in (inner for outer in run for inner in ast.walk(outer)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in names}
    return found & known


def cycles(targets):
    """Returns the modules that import themselves by way of others."""

    def reached(name):
        seen, ahead = set(), [name]
        while ahead:
            fresh = targets[ahead.pop()] - seen
            seen |= fresh
            ahead += fresh
        return seen

    return [name for name in targets if name in reached(name)]


def code_lines(function):
    """Returns the lines of a function without its docstring."""
    text = function.body[0] if ast.get_docstring(function) is not None else None
    return function.end_lineno - function.lineno + 1 - (text.end_lineno - text.lineno + 1 if text else 0)


def signature(function):
    """Returns the annotations of a function as text."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    given = [ast.unparse(argument.annotation) for argument in arguments if argument.annotation]
    return " ".join([*given, ast.unparse(function.returns) if function.returns else ""])


def rows():
    """Returns the table's rows, `(what, number)`."""
    trees = modules()
    targets = {name: imported(tree, set(trees)) - {name} for name, tree in trees.items()}
    functions = [
        node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    lengths = [code_lines(node) for node in functions if isinstance(node, ast.FunctionDef)]
    parents = [node for tree in trees.values() for node in (tree, *ast.walk(tree)) if isinstance(node, HOLDERS)]
    members = {node for parent in parents for node in parent.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    public = [node for node in members if not node.name.startswith("_") and node.name not in PROTOCOL]
    documented = [node for node in public if ast.get_docstring(node)]
    of_arrays = [node for node in public if isinstance(node, ast.FunctionDef) and ARRAYS.search(signature(node))]
    shaped = [node for node in of_arrays if SHAPES.search(ast.get_docstring(node) or "")]
    entries = [path for path in (ROOT / "kgen").iterdir() if path.name not in ("__init__.py", "__pycache__")]
    files = [len(path.read_text().splitlines()) for path in (ROOT / "kgen").rglob("*.py")]
    return [
        ("entries of kgen/", len(entries)),
        ("modules", len(trees)),
        ("modules in an import cycle", len(cycles(targets))),
        ("functions, median / largest lines", f"{statistics.median(lengths):g} / {max(lengths)}"),
        ("largest file, lines", max(files)),
        ("public functions and classes with a docstring", f"{len(documented) / len(public):.1%}"),
        (
            "public functions of arrays whose docstring has a shape",
            f"{len(shaped) / len(of_arrays):.1%} of {len(of_arrays)}",
        ),
        *((f"files to read for the algorithm of {name}", len(files)) for name, files in ALGORITHMS.items()),
    ]


def main():
    for files in ALGORITHMS.values():
        missing = [file for file in files if not (ROOT / "kgen" / file).exists()]
        assert not missing, missing
    print("| what | number |\n|---|---|")
    for name, value in rows():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
