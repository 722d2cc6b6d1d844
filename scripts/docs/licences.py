#!/usr/bin/env python
"""Writes docs/licences.md, the licence of each dependency as its own metadata tells it: python scripts/docs/licences.py

Run it with Python 3.12 in an environment of the pinned packages, .ci/requirements-3.12.txt.
"""

import configparser
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGE, PINNED = "docs/licences.md", ".ci/requirements-3.12.txt"
HEAD = """# Licences of the dependencies

What `pip install kgen` and its extras install, with the versions of `.ci/requirements-3.12.txt`. Each licence is what
the package's own metadata says. kgen itself is under Apache-2.0.

This page is written by `python scripts/docs/licences.py`.
"""
GPU = """
TensorFlow's own extra `and-cuda` also brings libraries of NVIDIA, under NVIDIA's own licences. They are not pinned:

{names}
"""


def wanted(root: Path) -> dict[str, list[Requirement]]:
    """Returns `{extra: its requirements}` of setup.cfg; "" is the install without extras."""
    parser = configparser.ConfigParser()
    parser.read(root / "setup.cfg")
    options = {"": parser["options"]["install_requires"], **parser["options.extras_require"]}
    lines = {extra: [line for line in text.split("\n") if line and line[0] != "#"] for extra, text in options.items()}
    return {extra: [Requirement(line) for line in given] for extra, given in lines.items()}


def pinned(root: Path) -> dict[str, str]:
    """Returns `{package: version}` of the pinned packages, by their canonical names."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (root / PINNED).read_text(), re.M)
    return {canonicalize_name(name): version for name, version in found}


def licence(package: str) -> str:
    """Returns the licence that a package's metadata names: an SPDX expression, a line, or its classifiers."""
    about = metadata.metadata(package)
    line = (about.get("License") or "").strip()
    trove = [name.rpartition(" :: ")[2] for name in about.get_all("Classifier", []) if name.startswith("License ::")]
    short = line if line and len(line) <= 60 and "\n" not in line else ""  # some packages put the whole text there
    return about.get("License-Expression") or short or ", ".join(trove) or "not told"


def table(packages: list[str], versions: dict[str, str]) -> str:
    """Returns the rows of packages, Markdown."""
    rows = [f"| {name} | {versions[name]} | {licence(name).replace('|', '/')} |" for name in packages]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows]) + "\n"


def page(root: Path) -> str:
    """Returns the page, Markdown.

    Raises:
        ValueError: another version is installed than is pinned.
    """
    versions, parts, direct = pinned(root), [HEAD], set()
    odd = [name for name, version in versions.items() if metadata.version(name) != version]
    if odd:
        raise ValueError(f"{odd[0]} has another version than {PINNED}: install that file, see CONTRIBUTING.md.")
    for extra, requirements in wanted(root).items():
        names = [canonicalize_name(requirement.name) for requirement in requirements]
        direct |= set(names)
        parts.append(f"## {f'Extra `{extra}`' if extra else 'Without extras'}\n\n{table(names, versions)}")
        if extra == "gpu":
            brought = [Requirement(text) for text in metadata.requires("tensorflow")]
            cuda = [each.name for each in brought if each.marker and "and-cuda" in str(each.marker)]
            parts[-1] += GPU.format(names="\n".join(f"- `{name}`" for name in cuda))
    parts.append(f"## What these packages bring\n\n{table(sorted(set(versions) - direct), versions)}")
    return "\n".join(parts)


def main() -> int:
    """Writes the page; returns the exit code."""
    try:
        (ROOT / PAGE).write_text(page(ROOT))
    except (ValueError, metadata.PackageNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
