"""Imports go down the floors only. Read from the AST, so a planted upward import is seen without being run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS = [
    {"kgen", "kgen.errors", "kgen.backend"},
    {"kgen.rng", "kgen.images"},
    {"kgen.losses", "kgen.layers", "kgen.optimizers", "kgen.augmentation", "kgen.data"},
    {"kgen.core"},
    {"kgen.networks", "kgen.metrics"},
    {"kgen.models"},
    {"kgen.runs"},
    {"kgen.export", "kgen.callbacks"},
    {"kgen.inference"},
    {"kgen.training"},
    {"kgen.studies", "kgen.explorer", "kgen.serving"},
    {"kgen.cli"},
    {"scripts"},
]


def modules():
    """Returns `{dotted name: source}` of the package and the scripts."""
    paths = [*(ROOT / "kgen").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text() for name, path in zip(names, paths, strict=True)}


def when_run(source):
    """Returns the syntax tree of a source without what is imported for annotations alone."""
    tree = ast.parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return tree


def imported(tree, known):
    """Returns the kgen modules that a syntax tree imports anywhere, functions included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return {name for name in found if name.split(".")[0] in ("kgen", "scripts")}


def room(name):
    """Returns the room of a module: `kgen.layers.maxout` stands in `kgen.layers`."""
    parts = name.split(".")
    return parts[0] if parts[0] == "scripts" else ".".join(parts[:2])


def floor(name):
    """Returns the number of the floor on which a module stands."""
    numbers = [number for number, rooms in enumerate(FLOORS) if room(name) in rooms]
    assert numbers, f"{name} stands on no floor: give it one in FLOORS"
    return numbers[0]


def violations(sources):
    """Returns the imports that go up, and those of a student's reproduction by a paper, as text."""
    wrong = []
    for name, source in sources.items():
        for target in imported(ast.parse(source), sources):  # annotations name no upper floor either
            paper_of_report = name.startswith("kgen.models.") and "kgen.models.reports" in target
            if floor(target) > floor(name) or (paper_of_report and "kgen.models.reports" not in name):
                wrong.append(f"{name} imports {target}")
    return wrong


def cycles(sources):
    """Returns the modules that import themselves by way of others, sorted."""
    targets = {name: imported(when_run(source), sources) - {name} for name, source in sources.items()}

    def reached(name):
        seen, ahead = set(), [name]
        while ahead:
            for target in targets.get(ahead.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    ahead.append(target)
        return seen

    return sorted(name for name in sources if name in reached(name))


def test_imports_go_down():
    assert violations(modules()) == []


@pytest.mark.parametrize(
    "name, line",
    [
        ("kgen.losses.adversarial", "from kgen.core.game import Game"),
        ("kgen.core.game", "def f():\n    from kgen import training"),
        ("kgen.models.gan", "from kgen.models.reports.report002 import PLAN"),
        ("kgen.data.datasets.mnist", "import kgen.models.gan"),
        ("kgen.metrics.kid", "if TYPE_CHECKING:\n    from kgen.inference.loading import LoadedModel"),
    ],
)
def test_a_planted_fault_is_seen(name, line):
    sources = modules()
    sources[name] += f"\n{line}\n"
    assert len(violations(sources)) == 1


def test_no_module_imports_itself_by_way_of_others():
    assert cycles(modules()) == []


def test_a_planted_cycle_between_papers_is_seen():
    sources = modules()
    sources["kgen.models.gan"] += "\nfrom kgen.models.dcgan import generator\n"
    assert {"kgen.models.gan", "kgen.models.dcgan"} <= set(cycles(sources))


def test_no_two_rooms_import_each_other():
    sources = modules()
    pairs = {
        (room(name), room(target)) for name, source in sources.items() for target in imported(when_run(source), sources)
    }
    assert [pair for pair in pairs if pair[0] < pair[1] and (pair[1], pair[0]) in pairs] == []
