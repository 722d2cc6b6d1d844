"""Looks for operations of a SavedModel that touch files, the network or Python, before any of it is run.

A SavedModel is a program. Loading runs its initialisers, and calling a signature runs the rest. An export of kgen only
computes. This module scans the names of operations. It is no sandbox: it does not limit memory or time.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgen.errors import UsageError

REACHES = re.compile(
    "(?<!Sharded)File|PyFunc|Dataset|Rpc|DataService|Summary|Reader|ImportEvent|Vocab|LoadAndRemap|Print|Debug"
    "|Remote|Worker|Send|Recv|TableImport|TableFrom|RestoreSlice|SaveSlices|DistributedSave|DTensor|^Save$|^Restore$"
)
CHECKPOINT = {"SaveV2", "RestoreV2", "MergeV2Checkpoints"}  # TensorFlow puts them into two functions of every export
OTHER_FORMS = ("saved_model.cpb", "saved_model.pbtxt")  # TensorFlow may read them in place of saved_model.pb


def demand_harmless(path: Path | str) -> None:
    """Raises UsageError if a SavedModel is damaged, or has operations that touch files, the network or Python.

    Args:
        path: folder of the SavedModel.
    """
    other = [name for name in OTHER_FORMS if (Path(path) / name).exists()]
    try:
        found = other or reaching((Path(path) / "saved_model.pb").read_bytes())
    except ValueError as error:
        raise UsageError(f"{path} cannot be loaded: {error}") from error
    if found:
        raise UsageError(
            f"{path} is not loaded: it has {', '.join(found)}, and so may touch files, the network or Python. A "
            "SavedModel is a program: give --trust if you know who made it."
        )


def reaching(content: bytes) -> list[str]:
    """Returns the names of operations that touch files, the network or Python, sorted.

    Args:
        content: of saved_model.pb.

    Raises:
        ValueError: it is not a SavedModel.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        graphs = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    except DecodeError as error:
        raise ValueError(f"saved_model.pb is damaged: {error}.") from error
    found = set()
    for graph in graphs:
        functions = {f.signature.name: list(f.node_def) for f in graph.graph_def.library.function}
        callable_ = set(graph.object_graph_def.concrete_functions) | {
            name for nodes in functions.values() for name in called(nodes)
        }
        for name, nodes in [*functions.items(), ("", list(graph.graph_def.node))]:
            names = {node.op for node in nodes}
            found |= {op for op in names if REACHES.search(op)}
            if name in callable_:  # only the graph, which kgen never runs, calls the two functions of checkpoints
                found |= names & CHECKPOINT
    return sorted(found)


def called(nodes: Iterable[Any]) -> set[str]:
    """Returns the names of the functions that nodes call, also as branches and bodies of loops."""
    values = [value for node in nodes for value in node.attr.values()]
    listed = [function for value in values for function in value.list.func]
    return {value.func.name for value in values if value.HasField("func")} | {function.name for function in listed}
