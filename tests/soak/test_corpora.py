"""Hundreds of files, whole and damaged: each is read rightly, or refused in a sentence that names it.

`pytest -m soak -n 0 -s tests/soak/test_corpora.py` prints how many of each kind were accepted and refused.
"""

import collections
import contextlib
import json
import shutil
import signal
import warnings

import numpy as np
import pytest
from PIL import Image

from kgen import data
from kgen.backend import tf
from kgen.core.recipe import fixed
from kgen.data.bad import BadImages
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.metrics import inception_network
from kgen.runs import build, checkpoint, directory, memory
from kgen.training import train as training
from tests.helpers import corpus_archives, corpus_pictures, corpus_runs, small_dcgan

pytestmark = pytest.mark.soak


def table(outcomes):
    """Prints `{(kind, outcome): count}`, a row for each kind."""
    print(f"\n{'':28}{'accepted':>9}{'refused':>9}{'other':>9}")
    for kind in dict.fromkeys(kind for kind, _ in outcomes):
        print(f"{kind:28}" + "".join(f"{outcomes[kind, each]:9}" for each in ("accepted", "refused", "other")))
    counts = [sum(n for (_, each), n in outcomes.items() if each == name) for name in ("accepted", "refused", "other")]
    print(f"{f'all {sum(counts)}':28}" + "".join(f"{count:9}" for count in counts))


@contextlib.contextmanager
def within(seconds):
    """Raises TimeoutError in the block after so many seconds: a reader that waits for a pipe would wait for ever."""

    def late(*_):
        raise AssertionError(f"not at an end after {seconds} s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def put(case, path):
    case.make(path) if callable(case.make) else path.write_bytes(case.make)


def in_colour(pixels):
    """Returns pixels `(SIDE, SIDE)` or `(SIDE, SIDE, 1 or 3)` with 3 channels."""
    return np.broadcast_to(pixels.reshape(*pixels.shape[:2], -1), (*pixels.shape[:2], 3))


def expected(case):
    """Returns what an accepted picture must be, uint8 `(SIDE, SIDE, 3)`; raises an error if it must be refused."""
    pixels = case.pixels
    if isinstance(pixels, str):
        jpeg = case.make[:2] == b"\xff\xd8"
        pixels = (
            tf.io.decode_jpeg(case.make, dct_method="INTEGER_ACCURATE").numpy()
            if jpeg
            else tf.io.decode_image(case.make, expand_animations=False).numpy()
        )
    side = min(pixels.shape[:2])
    left, top = (pixels.shape[1] - side) / 2, (pixels.shape[0] - side) / 2
    image = Image.fromarray(in_colour(pixels[..., :3] if pixels.ndim == 3 else pixels).copy())
    size = (corpus_pictures.SIDE,) * 2
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)))


def verdict(case, path):
    """Returns what becomes of a picture alone in its folder, and its pixels if it is accepted."""
    try:
        with within(120):
            found = data.load(f"folder:{path.parent}", size=corpus_pictures.SIDE).images
    except UsageError as error:
        named = case.kind == "other ending" or repr(path.name)[1:-1] in str(error) or path.name in str(error)
        return ("refused" if named else f"other: not named in {error}"), None
    except Exception as error:
        return f"other: {type(error).__name__} {error}", None
    try:
        same = np.array_equal(in_colour(found[0]), expected(case))
    except Exception as error:
        return f"other: accepted, where {type(error).__name__} {error}"[:300], found[0]
    return ("accepted" if same else "other: other pixels"), found[0]


@pytest.mark.filterwarnings("ignore")
def test_pictures(tmp_path):
    cases, outcomes, wrong = corpus_pictures.cases(), collections.Counter(), []
    assert len({case.name for case in cases}) == len(cases)
    together, accepted = tmp_path / "together", {}
    together.mkdir()
    for number, case in enumerate(cases):
        alone = tmp_path / f"{number}"
        alone.mkdir()
        if case.name == "inside.png":
            alone = together
        else:
            put(case, alone / case.name)
        put(case, together / case.name)
        outcome, pixels = (
            verdict(case, alone / case.name) if alone != together else ("accepted", corpus_pictures.COLOUR)
        )
        outcomes[case.kind, outcome.partition(":")[0]] += 1
        wrong += [f"{case.name}: {outcome}"] * outcome.startswith("other")
        if pixels is not None:
            accepted[case.name] = pixels
    table(outcomes)
    assert not wrong, "\n".join(wrong)
    with pytest.raises(BadImages) as refused:
        data.load(f"folder:{together}", size=corpus_pictures.SIDE)
    tried = {case.name for case in cases if case.kind != "other ending" or case.pixels is not None}
    assert {name.rpartition("together/")[2] for name, _ in refused.value.found} == tried - set(accepted)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = data.load(f"folder:{together}", size=corpus_pictures.SIDE, skip_bad=True).images
    assert any("1 .avif, 1 .gif, 1 .jp2;" in str(each.message) for each in caught)
    assert sorted(image.tobytes() for image in images) == sorted(
        in_colour(each).tobytes() for each in accepted.values()
    )


def right(dataset, found):
    """Returns whether what was read is what the whole archive holds."""
    if dataset == "npz":
        return found.keys() == corpus_archives.WEIGHTS.keys() and all(
            np.array_equal(array, corpus_archives.WEIGHTS[name]) for name, array in found.items()
        )
    if dataset == "celeba":
        return np.array_equal(found.images, [face[35:183, 15:163] for face in corpus_archives.FACES.values()])
    images, labels = {
        "mnist": (corpus_archives.DIGITS, corpus_archives.DIGIT_LABELS),
        "cifar10": (corpus_archives.OBJECTS[:10], corpus_archives.OBJECT_LABELS[:10]),
    }[dataset]
    return np.array_equal(found.images, images) and np.array_equal(found.labels, labels)


def judged(case, path):
    """Returns what becomes of an archive."""
    size = 148 if case.dataset == "celeba" else None
    try:
        with within(120):
            found = (
                inception_network.read(path)
                if case.dataset == "npz"
                else data.load(case.dataset, data_dir=path.parents[1], size=size)
            )
    except UsageError as error:
        named = any(word in str(error) for word in (case.file, "00000"))
        return "refused" if named else f"other: not named in {error}"
    except Exception as error:
        return f"other: {type(error).__name__} {error}"
    if not case.accepted:
        return "other: accepted"
    return "accepted" if right(case.dataset, found) else "other: other arrays"


def test_archives(tmp_path, monkeypatch):
    corpus_archives.official(monkeypatch)
    cases, outcomes, wrong = corpus_archives.cases(), collections.Counter(), []
    for number, case in enumerate(cases):
        path = tmp_path / f"{number}" / case.dataset / case.file
        path.parent.mkdir(parents=True)
        put(case, path)
        name, content = corpus_archives.LABELS
        (path.parent / name).write_bytes(content)
        outcome = judged(case, path)
        outcomes[case.dataset, outcome.partition(":")[0]] += 1
        wrong += [f"{case.dataset} {case.name}: {outcome}"] * outcome.startswith("other")
    table(outcomes)
    assert not wrong, "\n".join(wrong)


def remembered(function, key):
    """Returns a function that computes once for each key of its first argument, since building networks takes long."""
    known = {}

    def remember(recipe, *more, **options):
        name = key(recipe, *more), *options.items()
        if name not in known:
            known[name] = function(recipe, *more, **options)
        return known[name]

    return remember


def numbers(recipe, pictures, *_):
    return json.dumps([fixed(recipe), list(pictures.images.shape[1:]), list(pictures.classes)], default=str)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 20 steps with checkpoints of the last three."""
    return small_dcgan.train(tmp_path_factory.mktemp("run"), checkpoint_every=5).run


@pytest.fixture
def quick(monkeypatch):
    """Reads the data once, builds each network once, and leaves out the training itself."""
    monkeypatch.setattr(build, "load", remembered(build.load, lambda recipe: recipe.dataset))
    monkeypatch.setattr(build, "prepare", remembered(build.prepare, numbers))
    monkeypatch.setattr(memory, "demand_fits", remembered(memory.demand_fits, numbers))
    monkeypatch.setattr(training, "play", lambda trainer, recipe, pictures, run, start, *more: start)


def resumed(run):
    """Resumes a run; returns its trainer and step."""
    recipe = directory.read_recipe(run)
    result = training.train(recipe, exports_dir=None, resume=run, steps=max(25, recipe.steps))
    return result.trainer, result.step


def opened(run):
    """Opens a run; returns what has its networks, and its step."""
    found = loading.load(run)
    return found.game, found.step


def outcome_of(act, run, good):
    """Returns what becomes of a run that is opened or resumed; `good` is `{step: {key: array}}` of its checkpoints."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with within(120):
                found, step = act(run)
        except UsageError as error:
            words = str(error)
            return (
                "refused"
                if str(run) in words or "/nowhere" in words or "--" in words or "model" in words
                else f"other: {error}"
            )
        except OSError as error:  # which commands print as a sentence
            return "refused" if str(run) in str(error) else f"other: {error}"
        except Exception as error:
            return f"other: {type(error).__name__} {str(error)[:200]}"
        if step == 0:
            return "accepted" if any("begins again" in str(each.message) for each in caught) else "other: begins again"
        groups = checkpoint.variables(found) if act is resumed else {}
        same = all(np.array_equal(groups[key].numpy(), good[step][key]) for key in groups)
        weights = (found.game if act is resumed else found).players["generator"].network.variables
        saved = [good[step][key] for key in sorted(good[step]) if key.startswith("generator/")]
        same &= all(np.array_equal(one.numpy(), other) for one, other in zip(weights, saved, strict=True))
        warned = step == 20 or any("damaged" in str(each.message) for each in caught)
        return "accepted" if same and warned else f"other: step {step}, equal {same}, warned {warned}"


def test_runs(run, quick, tmp_path):
    good = {step: checkpoint.read(run / f"checkpoints/{step:06d}") for step in (10, 15, 20)}
    damages, outcomes, wrong = corpus_runs.damages(), collections.Counter(), []
    for number, (kind, damage, change) in enumerate(damages):
        for act in (opened, resumed):
            copy = tmp_path / f"{number}-{act.__name__}"
            shutil.copytree(run, copy)
            change(copy)
            outcome = outcome_of(act, copy, good)
            outcomes[f"{kind.rpartition('/')[2]}, {act.__name__}", outcome.partition(":")[0]] += 1
            wrong += [f"{kind} {damage}, {act.__name__}: {outcome}"] * outcome.startswith("other")
            shutil.rmtree(copy)
    table(outcomes)
    assert not wrong, "\n".join(wrong)
