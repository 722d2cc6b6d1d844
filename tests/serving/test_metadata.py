"""The description of a model's signatures is what its SavedModel says, over gRPC and REST."""

import pytest
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from tests.helpers import servers


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
