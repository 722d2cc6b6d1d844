"""Every recipe has a case."""

from kgen.core import recipe as recipes
from kgen.studies.benchmark.cases.recipes import CASES


def test_every_recipe_has_a_case():
    assert [case.contestants["kgen"].arguments["model"] for case in CASES.values()] == recipes.names()
    assert [name for name, case in CASES.items() if case.contestants["kgen"].arguments["noise"]] == [
        "recipe-acai-report000"
    ]
