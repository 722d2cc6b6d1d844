"""Requests that are too large are refused, with and without a Content-Length."""

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from kgen.explorer.body_limit import BodyLimit


@pytest.fixture
def client():
    async def size(request):
        return JSONResponse(len(await request.body()))

    async def echo(socket):
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    app = Starlette(routes=[Route("/", size, methods=["GET", "POST"]), WebSocketRoute("/ws", echo)])
    app.add_middleware(BodyLimit, most=100)
    return TestClient(app)


def in_parts(count):
    """Yields a body in parts of 10 bytes, so that its length is not said before."""
    for _ in range(count // 10):
        yield b"x" * 10


@pytest.mark.parametrize("size, status", [(0, 200), (100, 200), (101, 413), (10**6, 413)])
def test_a_length_that_is_said_is_looked_at(client, size, status):
    assert client.post("/", content=b"x" * size).status_code == status


@pytest.mark.parametrize("size, status", [(100, 200), (110, 413), (10**6, 413)])
def test_a_length_that_is_not_said_is_counted(client, size, status):
    answer = client.post("/", content=in_parts(size))
    assert answer.status_code == status
    assert answer.text == (str(size) if status == 200 else "A request may have 100 bytes.")


def test_a_wrong_length_does_not_help(client):
    assert client.post("/", content=in_parts(1000), headers={"Content-Length": "words"}).status_code == 413


def test_other_connections_pass(client):
    with client.websocket_connect("/ws") as socket:
        socket.send_text("hello" * 100)
        assert socket.receive_text() == "hello" * 100
