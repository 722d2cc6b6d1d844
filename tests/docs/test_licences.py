"""The page of licences lists what setup.cfg asks for, in the pinned versions."""

import importlib.util
import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def licences():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "scripts/docs/licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(text):
    """Returns `{heading: {package: version}}` of a page."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {heading: dict(re.findall(r"^\| ([a-z0-9-]+) \| (\d\S*) \| \S", rows, re.M)) for heading, _, rows in parts}


def test_each_requirement_is_listed_in_its_extra_and_its_pinned_version(licences):
    found = listed((ROOT / licences.PAGE).read_text())
    versions = licences.pinned(ROOT)
    wanted = licences.wanted(ROOT)
    assert len(wanted) == 9 and "keras" in [each.name for each in wanted[""]]
    for extra, requirements in wanted.items():
        names = {canonicalize_name(each.name) for each in requirements}
        assert found[f"Extra `{extra}`" if extra else "Without extras"] == {name: versions[name] for name in names}


def test_each_pinned_package_is_listed_once_or_more(licences):
    found = listed((ROOT / licences.PAGE).read_text())
    assert {name: version for rows in found.values() for name, version in rows.items()} == licences.pinned(ROOT)


@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_the_pinned_versions_are_those_that_setup_accepts_and_have_hashes(version, licences):
    text = (ROOT / f".ci/requirements-{version}.txt").read_text()
    versions = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))
    for each in [each for requirements in licences.wanted(ROOT).values() for each in requirements]:
        assert each.specifier.contains(versions[canonicalize_name(each.name)]), each
    assert all("--hash=sha256:" in part for part in re.split(r"^(?=\w)", text, flags=re.M)[1:])
    assert "://" not in text


@pytest.mark.parametrize(
    "lines, told",
    [
        (["License-Expression: MIT", "License: x"], "MIT"),
        (["License: BSD", "Classifier: License :: OSI Approved :: MIT License"], "BSD"),
        (["License: " + "word " * 30, "Classifier: License :: OSI Approved :: MIT License"], "MIT License"),
        ([], "not told"),
    ],
)
def test_a_licence_is_what_metadata_says(lines, told, licences, monkeypatch):
    import email

    monkeypatch.setattr(metadata, "metadata", lambda package: email.message_from_string("\n".join(lines) + "\n\n"))
    assert licences.licence("any") == told


def test_another_version_than_the_pinned_is_refused(licences, tmp_path):
    (tmp_path / ".ci").mkdir()
    (tmp_path / licences.PINNED).write_text("keras==0.0.1 \\\n    --hash=sha256:0\n")
    with pytest.raises(ValueError, match="keras has another version"):
        licences.page(tmp_path)
