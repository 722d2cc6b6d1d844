"""Refuses requests that are too large, whatever a browser says of them."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse


class BodyLimit:
    """An ASGI middleware that answers 413 to a request whose body is longer than `most` bytes.

    It looks at `Content-Length` first, and counts what arrives, since that header may be missing or wrong.
    """

    def __init__(self, app: Callable, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable], send: Callable) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        told = dict(scope["headers"]).get(b"content-length", b"0")
        words = f"A request may have {self.most} bytes."
        if told.isdigit() and int(told) > self.most:
            return await PlainTextResponse(words, 413)(scope, receive, send)
        count = 0

        async def counted() -> dict[str, Any]:
            nonlocal count
            message = await receive()
            count += len(message.get("body", b""))
            if count > self.most:
                raise HTTPException(413, words)
            return message

        await self.app(scope, counted, send)
