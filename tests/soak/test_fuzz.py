"""Flags and recipe files made at random end in a result or in one sentence, and never in a traceback.

`KGEN_SOAK_EXAMPLES=100 pytest -m soak tests/soak/test_fuzz.py` is a shorter one.
"""

import dataclasses
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.errors import UsageError

pytestmark = pytest.mark.soak
EXAMPLES = int(os.environ.get("KGEN_SOAK_EXAMPLES", "2000"))
often = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, -1, 2**31, 2**63, 1e308, 1e-300]))
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["", " ", "~nobody", "/", "..", "train[:0]", "train[5:1]", "\x00"])
)
VALUES = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none(), st.lists(NUMBERS, max_size=3))


@st.composite
def flags(draw):
    """A model, and some of its flags with values of any kind."""
    name = draw(st.sampled_from(recipes.names()))
    fields = [field.name for field in dataclasses.fields(recipes.find(name)) if field.name != "name"]
    chosen = draw(st.lists(st.sampled_from([*fields, "resume", "nonsense"]), max_size=4, unique=True))
    words = [(f"--{each.replace('_', '-')}", str(draw(VALUES))) for each in chosen]
    return ["--model", name, *(word for pair in words for word in pair)]


@st.composite
def files(draw):
    """The JSON of a recipe with some values replaced, left out or added."""
    found = json.loads(recipes.find(draw(st.sampled_from(recipes.names()))).to_json())
    for name in draw(st.lists(st.sampled_from([*found, "nonsense"]), max_size=4, unique=True)):
        found[name] = draw(VALUES)
    for name in draw(st.lists(st.sampled_from(sorted(found)), max_size=1)):
        del found[name]
    return json.dumps(found)


@often
@given(flags())
def test_flags(arguments):
    try:
        made = parsing.parse_training(arguments).recipe
    except UsageError as error:
        assert str(error).strip()
    except SystemExit as end:  # --help, if a value happens to be it
        assert end.code == 0
    else:
        assert recipes.from_json(made.to_json()) == made


@often
@given(files())
def test_recipe_files(text):
    try:
        made = recipes.from_json(text)
    except UsageError as error:
        assert str(error).strip()
    else:
        assert recipes.from_json(made.to_json()) == made


@often
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_texts_that_are_no_recipe(text):
    with pytest.raises(UsageError):
        recipes.from_json(text)
