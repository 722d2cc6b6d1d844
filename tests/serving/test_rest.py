"""The REST interface against the exports called directly, the state of versions, and malformed requests."""

import base64
import json
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from kgen.serving import rest
from tests.helpers import servers


def test_columns_equal_the_export_called_directly(server, root):
    expected = servers.direct(root, "gan", 2, "sample", seed=tf.constant(5, tf.int64), count=tf.constant(3, tf.int64))
    code, answer = server.ask("gan:predict", {"signature_name": "sample", "inputs": {"seed": 5, "count": 3}})
    assert code == 200 and set(answer["outputs"]) == {"images", "latent"}
    for name, value in answer["outputs"].items():
        np.testing.assert_array_equal(np.float32(value), expected[name])


def test_rows_equal_the_export_called_directly(server, root):
    pictures = servers.images(root)
    expected = servers.direct(root, "vae", 1, "encode", images=tf.constant(pictures))
    for rows in (pictures.tolist(), [{"images": picture} for picture in pictures.tolist()]):
        code, answer = server.ask("vae:predict", {"signature_name": "encode", "instances": rows})
        assert code == 200 and len(answer["predictions"]) == 3
        for name in ("latent", "log_variance"):
            found = np.float32([row[name] for row in answer["predictions"]])
            np.testing.assert_array_equal(found, expected[name])
    code, answer = server.ask("vae:predict", {"instances": pictures.tolist()})
    found = servers.direct(root, "vae", 1, "serving_default", images=tf.constant(pictures))["images"]
    np.testing.assert_array_equal(np.float32(answer["predictions"]), found)


def test_pictures_come_as_base64(server, root):
    code, answer = server.ask("acgan:predict", {"signature_name": "png", "inputs": {"seed": 1, "label": [3, 4]}})
    inputs = {"seed": tf.constant(1, tf.int64), "label": tf.constant([3, 4], tf.int64)}
    expected = servers.direct(root, "acgan", 1, "png", **inputs)["image_bytes"]
    assert code == 200 and [base64.b64decode(each["b64"]) for each in answer["outputs"]] == list(expected)


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
