"""Every contestant of a case has the same work."""

from kgen.core import recipe as recipes
from kgen.studies.benchmark.cases import rivalry


def test_contestants_agree_in_batch_and_precision():
    assert len(rivalry.CASES) == 10
    for name, case in rivalry.CASES.items():
        ours, *others = case.contestants.values()
        changes = ours.arguments["changes"]
        recipe = recipes.changed(recipes.find(ours.arguments["model"]), changes)
        precision = "mixed_bfloat16" if name.endswith("bfloat16") else "float32"
        assert recipe.precision == precision
        assert {(each.arguments["batch_size"], each.arguments["precision"]) for each in others} == {
            (recipe.batch_size, precision)
        }
        sizes = [each.arguments for each in others if "width" in each.arguments]
        assert all((each["width"], each["kernel"]) == (recipe.width, recipe.kernel_size) for each in sizes)
        assert list(case.contestants)[0] == "kgen" and case.contestants["torch-cuda-graphs"].needs == ("torch", "gpu")
