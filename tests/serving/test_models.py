"""Versions, labels and broken exports of a folder: what is found, what is served, what is refused."""

import shutil

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from kgen.errors import UsageError
from kgen.export import models_config
from kgen.serving import launch
from kgen.serving.models import Models, Refused
from tests.helpers import servers


def test_versions_and_labels(server, stub, root):
    body = {"signature_name": "sample", "inputs": {"seed": 0, "count": 1}}
    answers = [
        server.ask(f"gan{where}:predict", body)[1] for where in ("", "/versions/2", "/versions/1", "/labels/stable")
    ]
    assert answers[0] == answers[1] != answers[2] == answers[3]
    seed, count = np.int64(0), np.int64(1)
    found = [
        tf.make_ndarray(
            stub.Predict(servers.request("gan", "sample", seed=seed, count=count, **which)).outputs["images"]
        )
        for which in ({}, {"version": 1}, {"by_label": "stable"})
    ]
    np.testing.assert_array_equal(found[1], found[2])
    assert np.abs(found[0] - found[1]).max() > 0
    np.testing.assert_array_equal(np.float32(answers[0]["outputs"]["images"]), found[0])


def test_models_config_names_all_models_and_the_labelled_version(root):
    entries = {entry.name: entry for entry in models_config.read(root).model_config_list.config}
    assert set(entries) == set(servers.MODELS)
    assert all(entry.base_path == str(root / name) for name, entry in entries.items())
    assert dict(entries["gan"].version_labels) == {"stable": 1}
    assert list(entries["gan"].model_version_policy.specific.versions) == [1, 2]
    assert not entries["vae"].HasField("model_version_policy")


def test_a_new_version_is_served_and_an_unfinished_one_is_not(root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    found = Models(mine)
    assert found.resolve("vae") == 1
    (mine / "vae/.partial-export").mkdir()
    assert found.resolve("vae") == 1
    (mine / "vae/1").rename(mine / "vae/7")
    assert found.resolve("vae") == 7
    assert Models(mine / "gan").names() == ["gan"]


def break_it(folder, how):
    """Makes a version, or a file, that cannot be loaded."""
    if how == "empty folder":
        folder.mkdir()
    elif how == "file":
        folder.write_text("no folder")
    else:
        shutil.copytree(folder.parent / "2", folder)
        place = {"damaged graph": "saved_model.pb", "cut variables": "variables/variables.data-00000-of-00001"}
        damaged = folder / place.get(how, "variables/variables.index")
        damaged.write_bytes(damaged.read_bytes()[:100])


@pytest.mark.parametrize("how", ["empty folder", "file", "damaged graph", "damaged variables", "cut variables"])
def test_the_last_good_version_is_served_while_the_newest_is_broken(how, root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    break_it(mine / "gan/3", how)
    (mine / "broken").mkdir()
    (mine / "broken/1").mkdir()
    running = servers.Server(Models(mine))
    try:
        body = {"signature_name": "sample", "inputs": {"seed": 0, "count": 1}}
        code, answer = running.ask("gan:predict", body)
        assert code == 200 and answer == running.ask("gan/versions/2:predict", body)[1]
        for place in ("gan/versions/3:predict", "broken:predict", "broken/versions/1:predict"):
            code, answer = running.ask(place, body)
            assert code == 404 and answer["error"].startswith("Servable not found for request:")
        states = {each["version"]: each for each in running.ask("gan")[1]["model_version_status"]}
        assert {version: each["state"] for version, each in states.items()} == {
            "3": "END", "2": "AVAILABLE", "1": "AVAILABLE",
        }  # fmt: skip
        assert states["3"]["status"]["error_code"] == "UNKNOWN" and "gan/3" in states["3"]["status"]["error_message"]
        assert running.ask("gan/versions/3")[1]["model_version_status"] == [states["3"]]
        assert running.ask("vae/metadata")[0] == 200
        with grpc.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel:
            asked = get_model_status_pb2.GetModelStatusRequest()
            asked.model_spec.name = "gan"
            found = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(asked).model_version_status
        assert [(each.version, each.state, each.status.error_code) for each in found] == [
            (3, 50, 2), (2, 30, 0), (1, 30, 0),
        ]  # fmt: skip
    finally:
        running.stop()
    assert [line.startswith("# Servable not found") for line in launch.examples(mine, 8501, most=9)].count(True) == 1


def test_a_version_that_was_removed_is_unloaded(root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    found = Models(mine)
    assert found.resolve("gan") == 2
    (mine / "gan/2").rename(mine / "gan/3")
    assert found.resolve("gan") == 3 and ("gan", 2) not in found._loaded


def test_a_folder_without_exports(tmp_path):
    with pytest.raises(UsageError, match=r"There is no export in .* Make one: kgen export --run latest$"):
        Models(tmp_path)


def test_a_damaged_configuration_is_told_where_a_label_is_asked_for(root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    (mine / models_config.FILE).write_text("{ no configuration")
    found = Models(mine)
    with pytest.raises(Refused, match="is not a model server's configuration"):
        found.resolve("gan", label="stable")
    assert found.resolve("gan") == 2


def test_a_question_about_the_state_loads_the_newest_version_alone(root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    found = Models(mine)
    assert found.failures("gan") == {1: "", 2: ""} and set(found._loaded) == {("gan", 2)}
    (mine / "gan/3").mkdir()
    assert list(found.failures("gan")) == [1, 2, 3] and "gan/3" in found.failures("gan")[3]
    assert ("gan", 1) not in found._loaded
    with pytest.raises(Refused, match="Servable not found"):
        found.failures("nothing")
