"""What the tests of the development server share: exports of four kinds, and the server behind them."""

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from kgen.serving.models import Models
from tests.helpers import servers


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return servers.exports(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="session")
def models(root):
    return Models(root)


@pytest.fixture(scope="session")
def server(models):
    running = servers.Server(models)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stub(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
