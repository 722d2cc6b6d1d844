"""Imports go down the floors only. Read from the AST, so a planted upward import is seen without being run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    {"kgen", "kgen.errors", "kgen.backend"},
    {"kgen.dice", "kgen.images"},
    {
        "kgen.affine",
        "kgen.augment",
        "kgen.class_losses",
        "kgen.contrast",
        "kgen.losses",
        "kgen.penalties",
        "kgen.layers",
        "kgen.noises",
        "kgen.optimizers",
        "kgen.priors",
        "kgen.pruning",
        "kgen.reconstructions",
        "kgen.referees",
        "kgen.signatures",
    },
    {"kgen.game", "kgen.match", "kgen.mirrored", "kgen.mirrored_space"},
    {"kgen.recipe"},
    {"kgen.adversarial", "kgen.coding", "kgen.pyramid", "kgen.source"},
    {"kgen.archives", "kgen.decode"},
    {"kgen.data", "kgen.pipeline"},
    {"kgen.evaluation", "kgen.held_out", "kgen.measure", "kgen.metrics"},
    {"kgen.models"},
    {"kgen.callbacks"},
    {
        "kgen.checkpoint",
        "kgen.cli",
        "kgen.codec",
        "kgen.convert",
        "kgen.evaluating",
        "kgen.explorer",
        "kgen.export",
        "kgen.interpolate",
        "kgen.judge",
        "kgen.matches",
        "kgen.models_config",
        "kgen.runs",
        "kgen.sampling",
        "kgen.serving",
        "kgen.studies",
        "kgen.training",
        "kgen.warmup",
    },
    {"scripts"},
]
# Inside models/ imports follow citations.
CITES = {
    "gan": set(),
    "gan_convolutional": {"dcgan", "gan"},
    "report003": {"dcgan", "gan", "gan_convolutional"},
    "dcgan": {"gan"},
    "lsgan": {"dcgan"},
    "wgan": {"dcgan", "gan"},
    "wgan_gp": {"dcgan", "gan"},
    "sngan": {"dcgan", "gan"},
    "acgan": {"dcgan"},
    "improved_gan": {"dcgan"},
    "autoencoder": set(),
    "classifier": set(),
    "vae": set(),
    "adversarial_vae": {"vae"},
    "vae_gan": {"dcgan", "vae"},
    "adversarial_autoencoder": set(),
    "vq_vae": set(),
    "acai": set(),
    "acai_baselines": {"acai", "adversarial_autoencoder", "vae"},
    "report002": {"dcgan", "gan", "improved_gan", "wgan"},
}


def modules():
    """Returns `{dotted name: source}` of the package and the scripts."""
    paths = [*(ROOT / "kgen").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text() for name, path in zip(names, paths, strict=True)}


def imported(source, known):
    """Returns the kgen modules that a source imports anywhere, functions included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
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
    """Returns the imports that go up, or inside models/ past the citations, as text."""
    wrong = []
    for name, source in sources.items():
        for target in imported(source, sources):
            paper, cited = name.removeprefix("kgen.models."), target.removeprefix("kgen.models.")
            inside = paper != name and cited != target
            if floor(target) > floor(name) or (inside and cited not in CITES.get(paper, set())):
                wrong.append(f"{name} imports {target}")
    return wrong


def test_imports_go_down():
    assert violations(modules()) == []


@pytest.mark.parametrize(
    "name, line",
    [
        ("kgen.losses", "from kgen.game import Game"),
        ("kgen.game", "def f():\n    from kgen import training"),
        ("kgen.models.gan", "from kgen.models.dcgan import generator"),
        ("kgen.data.mnist", "import kgen.models.gan"),
    ],
)
def test_a_planted_fault_is_seen(name, line):
    sources = modules()
    sources[name] += f"\n{line}\n"
    assert len(violations(sources)) == 1


def test_no_two_rooms_import_each_other():
    sources = modules()
    pairs = {(room(name), room(target)) for name, source in sources.items() for target in imported(source, sources)}
    assert [pair for pair in pairs if pair[0] < pair[1] and (pair[1], pair[0]) in pairs] == []
