"""The development server against the exports called directly, TensorFlow Serving's own messages, and bad requests."""

import base64
import json
import resource
import shutil
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from kgen.errors import UsageError
from kgen.export import models_config, warmup
from kgen.serving import launch, rest
from kgen.serving.models import Models, Refused
from tests.helpers import servers


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return servers.exports(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def models(root):
    return Models(root)


@pytest.fixture(scope="module")
def server(models):
    running = servers.Server(models)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def direct(root, name, version, signature, **inputs):
    model, signatures = servers.loaded(root, name, version)
    return {key: value.numpy() for key, value in signatures[signature](**inputs).items()}


def images(root, count=3):
    _, signatures = servers.loaded(root, "vae", 1)
    shape = signatures["encode"].structured_input_signature[1]["images"].shape[1:]
    return np.random.default_rng(0).uniform(size=(count, *shape)).astype(np.float32)


def request(name, signature="", version=None, by_label=None, **inputs):
    made = predict_pb2.PredictRequest()
    made.model_spec.name, made.model_spec.signature_name = name, signature
    if version is not None:
        made.model_spec.version.value = version
    if by_label is not None:
        made.model_spec.version_label = by_label
    for key, value in inputs.items():
        made.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return made


def test_columns_equal_the_export_called_directly(server, root):
    expected = direct(root, "gan", 2, "sample", seed=tf.constant(5, tf.int64), count=tf.constant(3, tf.int64))
    code, answer = server.ask("gan:predict", {"signature_name": "sample", "inputs": {"seed": 5, "count": 3}})
    assert code == 200 and set(answer["outputs"]) == {"images", "latent"}
    for name, value in answer["outputs"].items():
        np.testing.assert_array_equal(np.float32(value), expected[name])


def test_rows_equal_the_export_called_directly(server, root):
    pictures = images(root)
    expected = direct(root, "vae", 1, "encode", images=tf.constant(pictures))
    for rows in (pictures.tolist(), [{"images": picture} for picture in pictures.tolist()]):
        code, answer = server.ask("vae:predict", {"signature_name": "encode", "instances": rows})
        assert code == 200 and len(answer["predictions"]) == 3
        for name in ("latent", "log_variance"):
            found = np.float32([row[name] for row in answer["predictions"]])
            np.testing.assert_array_equal(found, expected[name])
    code, answer = server.ask("vae:predict", {"instances": pictures.tolist()})
    found = direct(root, "vae", 1, "serving_default", images=tf.constant(pictures))["images"]
    np.testing.assert_array_equal(np.float32(answer["predictions"]), found)


def test_pictures_come_as_base64(server, root):
    code, answer = server.ask("acgan:predict", {"signature_name": "png", "inputs": {"seed": 1, "label": [3, 4]}})
    inputs = {"seed": tf.constant(1, tf.int64), "label": tf.constant([3, 4], tf.int64)}
    expected = direct(root, "acgan", 1, "png", **inputs)["image_bytes"]
    assert code == 200 and [base64.b64decode(each["b64"]) for each in answer["outputs"]] == list(expected)


def test_grpc_equals_the_export_called_directly(stub, root):
    pictures = images(root)
    first, second, steps = pictures[0], pictures[1], np.int64(4)
    answer = stub.Predict(request("vae", "interpolate", first=first, second=second, steps=steps))
    expected = direct(root, "vae", 1, "interpolate", first=first, second=second, steps=tf.constant(steps))["images"]
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["images"]), expected)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("vae", 1)
    answer = stub.Predict(request("classifier", "classify", images=pictures))
    expected = direct(root, "classifier", 1, "classify", images=tf.constant(pictures))
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["label"]), expected["label"])
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["probability"]), expected["probability"])


def test_versions_and_labels(server, stub, root):
    body = {"signature_name": "sample", "inputs": {"seed": 0, "count": 1}}
    answers = [
        server.ask(f"gan{where}:predict", body)[1] for where in ("", "/versions/2", "/versions/1", "/labels/stable")
    ]
    assert answers[0] == answers[1] != answers[2] == answers[3]
    seed, count = np.int64(0), np.int64(1)
    found = [
        tf.make_ndarray(stub.Predict(request("gan", "sample", seed=seed, count=count, **which)).outputs["images"])
        for which in ({}, {"version": 1}, {"by_label": "stable"})
    ]
    np.testing.assert_array_equal(found[1], found[2])
    assert np.abs(found[0] - found[1]).max() > 0
    np.testing.assert_array_equal(np.float32(answers[0]["outputs"]["images"]), found[0])


def test_the_state_of_versions(server):
    code, answer = server.ask("gan")
    assert code == 200 and [each["version"] for each in answer["model_version_status"]] == ["2", "1"]
    assert {each["state"] for each in answer["model_version_status"]} == {"AVAILABLE"}
    assert [each["version"] for each in server.ask("gan/labels/stable")[1]["model_version_status"]] == ["1"]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        asked = get_model_status_pb2.GetModelStatusRequest()
        asked.model_spec.name = "gan"
        found = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(asked).model_version_status
    assert [each.version for each in found] == [2, 1] and {each.state for each in found} == {30}


@pytest.mark.parametrize("name", servers.MODELS)
def test_metadata_is_what_the_saved_model_says(name, server, stub, root):
    saved = saved_model_pb2.SavedModel.FromString((root / name / "1/saved_model.pb").read_bytes())
    expected = {key: value for key, value in saved.meta_graphs[0].signature_def.items() if not key.startswith("__")}
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name, asked.model_spec.version.value = name, 1
    told = get_model_metadata_pb2.SignatureDefMap()
    stub.GetModelMetadata(asked).metadata["signature_def"].Unpack(told)
    assert set(told.signature_def) == set(expected)
    for key, definition in expected.items():
        for part in ("inputs", "outputs"):
            its, ours = getattr(definition, part), getattr(told.signature_def[key], part)
            assert {n: (i.dtype, shape(i)) for n, i in ours.items()} == {n: (i.dtype, shape(i)) for n, i in its.items()}
    rest = server.ask(f"{name}/versions/1/metadata")[1]["metadata"]["signature_def"]["signature_def"]
    assert set(rest) == set(expected) and rest["serving_default"]["method_name"] == "tensorflow/serving/predict"


def shape(info):
    return None if info.tensor_shape.unknown_rank else [dim.size for dim in info.tensor_shape.dim]


@pytest.mark.parametrize("name", servers.MODELS)
def test_warm_up_requests_are_answered(name, root, stub):
    signatures = servers.loaded(root, name, 1)[1]
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(root / name / "1" / warmup.FILE))]
    logs = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    assert sorted(log.model_spec.signature_name for log in logs) == sorted(signatures)
    for log in logs:
        assert log.model_spec.name == name
        assert len(stub.Predict(log).outputs) > 0


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
        damaged = folder / ("saved_model.pb" if how == "damaged graph" else "variables/variables.index")
        damaged.write_bytes(damaged.read_bytes()[:100])


@pytest.mark.parametrize("how", ["empty folder", "file", "damaged graph", "damaged variables"])
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
    with pytest.raises(UsageError, match="There is no export in"):
        Models(tmp_path)


def bad_bodies(random, count):
    """Yields `count` malformed bodies for the model gan, of twelve kinds."""
    deep = b"[" * 100_000
    good = {"signature_name": "sample", "inputs": {"seed": 1, "count": 2}}
    kinds = [
        lambda n: {"signature_name": f"nothing{n}", "inputs": {"seed": 1, "count": 1}},
        lambda n: {"signature_name": "sample", "inputs": {"seed": 1, f"count{n}": 2}},
        lambda n: {"signature_name": "sample", "inputs": {"seed": 1, "count": 257 + n**4}},
        lambda n: {"signature_name": "sample", "inputs": {"seed": 1, "count": -n}},
        lambda n: {"signature_name": "sample", "inputs": {"seed": [n] * (n % 9), "count": 1}},
        lambda n: {"signature_name": "sample", "inputs": {"seed": 0.5 + n, "count": 1}},
        lambda n: {"signature_name": "png", "inputs": {"seed": str(n), "count": {"b64": "%%%"}}},
        lambda n: {"instances": [[0.5] * (1 + n % 50 + 100)]},
        lambda n: {"instances": [] if n % 2 else [[1.0], [1.0, 2.0]]},
        lambda n: json.dumps(good).encode()[: n % 40],
        lambda n: json.dumps({"instances": [[float("nan")] * 100]}).encode(),
        lambda n: [deep, b'{"inputs": ' + deep, b"\xff\xfe", b"null", b"[1]", b'"x"'][n % 6],
        lambda n: {"signature_name": n, "inputs": {"seed": 1, "count": 1}},
        lambda n: {"inputs": {"seed": 10 ** (20 + n), "count": 1}, "signature_name": "sample"},
    ]
    for number in range(count):
        yield kinds[number % len(kinds)](int(random.integers(0, 300)))


def test_a_thousand_malformed_requests_get_errors_and_do_no_harm(server):
    good = {"signature_name": "sample", "inputs": {"seed": 3, "count": 2}}
    expected = server.ask("gan:predict", good)
    assert expected[0] == 200
    for number, body in enumerate(bad_bodies(np.random.default_rng(0), 1_000)):
        code, answer = server.ask("gan:predict", body)
        assert 400 <= code < 500 and answer["error"], (
            code,
            body if isinstance(body, bytes) else json.dumps(body)[:200],
        )
        if number % 100 == 99:
            assert server.ask("gan:predict", good) == expected


@pytest.mark.parametrize(
    "path",
    ["nothing:predict", "gan/versions/9:predict", "gan/versions/x:predict", "gan/labels/no:predict", "gan:classify", "",
     "../gan:predict", "gan/versions/1/2:predict", "gan/metadata:predict"],
)  # fmt: skip
def test_places_that_there_are_not(path, server):
    code, answer = server.ask(path, {"signature_name": "sample", "inputs": {"seed": 1, "count": 1}})
    assert 400 <= code < 500 and answer["error"]


def test_every_answer_is_json_with_the_status_of_its_error(server, root):
    huge = {"inputs": {"latent": [[3e38] * 100]}}
    for path, body, code in [
        ("gan:predict", huge, 400),
        (f"gan/versions/{'9' * 5000}:predict", {}, 404),
        ("../../elsewhere", None, 404),
        ("gan:predict", {"signature_name": "png", "inputs": {"seed": 2**63, "count": 1}}, 400),
        ("gan:predict", {"signature_name": "png", "inputs": {"seed": -(2**63) - 1, "count": 1}}, 400),
        ("gan:predict", b"[" + b" " * rest.LARGEST, 413),
    ]:
        found, answer = server.ask(path, body)
        assert (found, set(answer)) == (code, {"error"}), (path[:50], answer)
    for method in ("PUT", "DELETE"):
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/v1/models/gan", method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 405 and json.load(refused.value)["error"]


def test_seeds_at_the_ends_of_64_bits_are_different_pictures(server):
    ends = [-(2**63), 2**63 - 1]
    answers = [
        server.ask("gan:predict", {"signature_name": "png", "inputs": {"seed": seed, "count": 1}}) for seed in ends
    ]
    assert [code for code, _ in answers] == [200, 200] and answers[0] != answers[1]


def test_a_damaged_configuration_is_told_where_a_label_is_asked_for(root, tmp_path):
    mine = servers.copied(root, tmp_path / "exports")
    (mine / models_config.FILE).write_text("{ no configuration")
    found = Models(mine)
    with pytest.raises(Refused, match="is not a model server's configuration"):
        found.resolve("gan", label="stable")
    assert found.resolve("gan") == 2


@pytest.mark.parametrize("dims", [(3_000_000, 100), (10**13, 100), (2, 100), (-1, 100), (0,)])
def test_a_shape_larger_than_its_content_is_refused_before_there_is_an_array(dims, stub):
    promised = request("gan", "serving_default")
    promised.inputs["latent"].dtype = 1  # float32
    for dim in dims:
        promised.inputs["latent"].tensor_shape.dim.add(size=dim)
    promised.inputs["latent"].float_val.append(1.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(promised)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "latent has 1 values, its shape has" in refused.value.details()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_an_output_filter_chooses_outputs(stub):
    asked = request("gan", "sample", seed=np.int64(1), count=np.int64(1))
    asked.output_filter.append("latent")
    assert set(stub.Predict(asked).outputs) == {"latent"}
    asked.output_filter.append("nothing")
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(asked)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "nothing" in refused.value.details()


def test_malformed_messages_get_errors(stub):
    unfilled = request("gan", "serving_default", latent=np.zeros((1, 100), np.float32))
    unfilled.inputs["latent"].tensor_content = b"123"
    words = request("gan", "sample", seed=np.int64(1), count=np.array(["x"]))
    bad = [
        request("nothing"),
        request("gan", "sample", version=9, seed=np.int64(1), count=np.int64(1)),
        request("gan", "sample", by_label="no", seed=np.int64(1), count=np.int64(1)),
        request("gan", "nothing", seed=np.int64(1)),
        request("gan", "sample", seed=np.int64(1)),
        request("gan", "sample", seed=np.int64(1), count=np.int64(0)),
        request("gan", "serving_default", latent=np.full((1, 100), np.nan, np.float32)),
        request("gan", "serving_default", latent=np.zeros((0, 100), np.float32)),
        request("acgan", "png", seed=np.int64(1), label=np.int64([10])),
        unfilled,
        words,
    ]
    for each in bad:
        with pytest.raises(grpc.RpcError) as told:
            stub.Predict(each)
        assert told.value.code() in (
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.FAILED_PRECONDITION,
        ), (told.value.code(), each)
        assert told.value.details()
    assert stub.Predict(request("gan", "sample", seed=np.int64(1), count=np.int64(1))).outputs["images"].dtype == 1
