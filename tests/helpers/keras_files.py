"""Writes `.keras` files whose description or weights were changed by hand."""

import importlib
import json
import zipfile

import keras


def network():
    """Returns a network of one layer, without harm."""
    inputs = keras.Input((2,), name="inputs")
    return keras.Model(inputs, keras.layers.Dense(1, use_bias=False, name="dense")(inputs))


def archive(path, layers=(), weights=None, compression=zipfile.ZIP_STORED):
    """Writes the network as a .keras file with more layers in its description, or other weights. Returns its path."""
    network().save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    description = json.loads(members["config.json"])
    description["config"]["layers"] += layers
    members["config.json"] = json.dumps(description)
    members["model.weights.h5"] = weights or members["model.weights.h5"]
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def layer(kind, **config):
    """Returns the description of a layer that no other is connected with."""
    name = f"odd_{kind.lower()}"
    config = {"name": name, **config}
    return {"module": "keras.layers", "class_name": kind, "config": config, "name": name, "inbound_nodes": []}


def calls(name, inputs, **arguments):
    """Returns the description of a Lambda layer that calls a function by its dotted name while it is loaded."""
    module, _, last = name.rpartition(".")
    function = {"module": module, "class_name": "function", "config": last, "registered_name": "function"}
    made = layer("Lambda", function=function, arguments=arguments)
    made["name"] = made["config"]["name"] = f"calls_{last.lower()}"
    made["inbound_nodes"] = [{"args": [], "kwargs": {"inputs": inputs}}]
    return made


def described(path):
    """Returns the descriptions of the layers of a .keras file."""
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("config.json"))["config"]["layers"]


def obey(path):
    """Calls what the Lambda layers of a .keras file name, as Keras did before 3.9."""
    try:
        for each in [each["config"] | each for each in described(path) if each["class_name"] == "Lambda"]:
            function = getattr(importlib.import_module(each["function"]["module"]), each["function"]["config"])
            function(each["inbound_nodes"][0]["kwargs"]["inputs"], **each["arguments"])
    finally:
        keras.src.backend.common.global_state.set_global_attribute("safe_mode_saving", None)


def loads(path):
    """Loads with the pinned Keras as it says is safe."""
    return keras.saving.load_model(path, safe_mode=True)


def unsafe(path):
    """Loads with the pinned Keras as it says is unsafe."""
    return keras.saving.load_model(path, safe_mode=False)
