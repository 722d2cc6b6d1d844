"""A small generator that is told the class, and its export."""

from kgen.core import recipe as recipes
from kgen.export import saved_model
from tests.helpers.recipes import new_trainer, shrink

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def exported(root):
    """Returns `(game, folder of its export)`; its classes are `NAMES`."""
    game = new_trainer("acgan").best_game()
    game.classes = NAMES
    return game, saved_model.export(game, shrink(recipes.find("acgan")), 1, root)
