"""Training steps of every recipe: speed, memory, time to the first step, where the time goes."""

from kgen.core import recipe as recipes
from kgen.studies.benchmark.case import Case, Contestant

ELSEWHERE = ("cifar10",)  # datasets that have to be downloaded; random pictures take their place


def case(recipe: recipes.Recipe) -> Case:
    """Returns the case of a recipe."""
    arguments = {"model": recipe.name, "changes": {}, "noise": recipe.dataset in ELSEWHERE}
    kgen = Contestant("kgen.studies.benchmark.training:steps", arguments)
    return Case(f"steps of the recipe {recipe.name}, batch {recipe.batch_size}", "images/s", {"kgen": kgen})


CASES = {f"recipe-{name}": case(recipe) for name, recipe in recipes.all_recipes().items()}
