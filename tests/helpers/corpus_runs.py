"""Damages of a run directory: functions of its path, under the name of what they damage."""

import hashlib
import json
import os
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file

NEWEST = "checkpoints/000020"
JSON = {
    "empty": "", "blank": " ", "null": "null", "list": "[]", "number": "7", "text": '"x"', "open": "{",
    "no fields": "{}", "deep list": "[" * 100_000, "deep object": '{"a":' * 100_000, "NaN": "NaN",
    "long number": "9" * 9_000,
}  # fmt: skip


def contents(name):
    """Yields `(damage, function of the run's path)` of any file: cuts, flipped bits, what is no file."""

    def changed(change):
        return lambda run: (run / name).write_bytes(change(bytearray((run / name).read_bytes())))

    def flipped(number):
        def flip(content):
            random = np.random.default_rng([number, len(content)])
            content[random.integers(len(content))] ^= 1 << int(random.integers(8))
            return content

        return flip

    for part in (0.1, 0.5, 0.9):
        yield f"cut {part}", changed(lambda content, part=part: content[: int(part * len(content))])
    for number in range(4):
        yield f"flip {number}", changed(flipped(number))
    yield "not UTF-8", changed(lambda content: b"\xff\xfe" + content)
    yield "removed", lambda run: (run / name).unlink()
    for damage, make in {
        "folder": os.mkdir,
        "pipe": os.mkfifo,
        "device": lambda path: path.symlink_to("/dev/zero"),
        "nowhere": lambda path: path.symlink_to("nowhere"),
    }.items():
        yield damage, lambda run, make=make: ((run / name).unlink(), make(run / name))


def texts(name):
    """Yields `(damage, function)` of a JSON file."""
    for damage, text in JSON.items():
        yield damage, lambda run, text=text: (run / name).write_text(text)


def edited(name, changes):
    """Returns a function that sets fields of a JSON object."""
    return lambda run: (run / name).write_text(json.dumps({**json.loads((run / name).read_text()), **changes}))


def of_fields():
    """Yields `(file, damage, function)` of single values."""
    manifest = f"{NEWEST}/manifest.json"
    odd = {
        "step": ["20", -20, 20.5, None, [20]],
        "sha256": [None, 7, "x", []],
        "numbers": [None, [], 7, "x", {"seed": 9}],
    }
    for field, values in odd.items():
        for value in values:
            yield manifest, f"{field} {value}", edited(manifest, {field: value})
    for changes in (
        {"model": "nothing"}, {"model": 7}, {"width": 10**9}, {"width": -1}, {"width": "4"},
        {"learning_rate": np.nan},
        {"seed": 5}, {"batch_size": 10**12}, {"unknown": 1},
        {"dataset": "folder:/nowhere"}, {"steps": 3}, {"name": "x"},
    ):  # fmt: skip
        yield "recipe.json", str(changes), edited("recipe.json", changes)
    for field, values in {
        "images": [None, 5, ["a"], [1, -5, 28, 1], [], [4500, 28, 28], [1, 28, 28, 10**9], [1, 1e300, 28, 1], "28"],
        "classes": [None, 5, [1, 2], {"a": 1}, "ab"],
        "images_sha256": [None, "0", 5],
    }.items():
        for value in values:
            yield "environment.json", f"{field} {value}", edited("environment.json", {field: value})


def with_state(change):
    """Returns a function that changes the arrays of the newest checkpoint, and its manifest with them."""

    def damage(run):
        arrays = load_file(run / NEWEST / "state.safetensors")
        save_file(change(dict(arrays)), run / NEWEST / "state.safetensors")
        digest = hashlib.sha256((run / NEWEST / "state.safetensors").read_bytes()).hexdigest()
        edited(f"{NEWEST}/manifest.json", {"sha256": digest})(run)

    return damage


def of_states():
    """Yields `(damage, function)` of arrays that are not those of the model."""
    first = "discriminator/000.kernel"
    yield "an array less", with_state(lambda arrays: {k: v for k, v in arrays.items() if k != first})
    yield "an array more", with_state(lambda arrays: {**arrays, "x": np.zeros(1)})
    yield "another type", with_state(lambda arrays: {**arrays, first: arrays[first].astype(np.float64)})
    yield "another shape", with_state(lambda arrays: {**arrays, first: arrays[first][:1]})
    yield "no arrays", with_state(lambda arrays: {})


def of_folders():
    """Yields `(damage, function)` of what lies in `checkpoints/` and beside it."""
    folder = "checkpoints"
    yield "all removed", lambda run: shutil.rmtree(run / folder)
    yield "a file", lambda run: (shutil.rmtree(run / folder), (run / folder).touch())
    yield "a link elsewhere", lambda run: (shutil.rmtree(run / folder), (run / folder).symlink_to("/etc"))
    yield "all damaged", lambda run: [path.unlink() for path in (run / folder).glob("*/manifest.json")]
    yield "newest a file", lambda run: (shutil.rmtree(run / NEWEST), (run / NEWEST).touch())
    yield "newest empty", lambda run: (shutil.rmtree(run / NEWEST), (run / NEWEST).mkdir())
    yield "newest renamed", lambda run: (run / NEWEST).rename(run / folder / "000030")
    yield (
        "newest an older one",
        lambda run: (shutil.rmtree(run / NEWEST), shutil.copytree(run / folder / "000015", run / NEWEST)),
    )
    for name in ("\u00b2", "-1", "7", "000008x", "x" * 200, "line\nfeed", "999999999999999999", ".partial-x"):
        yield f"a folder {name}", lambda run, name=name: (run / folder / name).mkdir()
        yield f"a file {name}", lambda run, name=name: (run / folder / name).touch()
    yield "lock a folder", lambda run: ((run / ".lock").unlink(missing_ok=True), (run / ".lock").mkdir())
    yield "real.png a folder", lambda run: ((run / "real.png").unlink(), (run / "real.png").mkdir())


def damages():
    """Returns `[(kind, damage, function of a run's path)]`."""
    found = []
    state = f"{NEWEST}/state.safetensors"
    for name in (state, f"{NEWEST}/manifest.json", "recipe.json", "environment.json", "log.jsonl"):
        found += [(name, damage, change) for damage, change in contents(name)]
        found += [(name, damage, change) for damage, change in (texts(name) if name != state else ())]
    found += [(state, damage, change) for damage, change in of_states()]
    found += of_fields()
    return found + [("folders", damage, change) for damage, change in of_folders()]
