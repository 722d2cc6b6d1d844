"""The REST interface of TensorFlow Serving, as an ASGI application.

    GET  /v1/models/NAME[/versions/N|/labels/LABEL]             the state of its versions
    GET  /v1/models/NAME[/versions/N|/labels/LABEL]/metadata    its signatures
    POST /v1/models/NAME[/versions/N|/labels/LABEL]:predict     {"signature_name": ..., "inputs"|"instances": ...}

Source: TensorFlow Serving, "RESTful API".
"""

import base64
import json
from typing import Any

import numpy as np
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from kgen.serving.metadata import metadata
from kgen.serving.models import Models, Refused

LARGEST = 64 * 2**20  # most bytes of a request, which takes ten times as many: 256 images of 64x64x3 as text
STATUS = {"NOT_FOUND": 404, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 412, "RESOURCE_EXHAUSTED": 413}


def application(models: Models) -> Starlette:
    """Returns the ASGI application that serves the models of a folder of exports."""

    async def answer(request: Request) -> JSONResponse:
        try:
            body = await read(request) if request.method == "POST" else None
            return JSONResponse(await run_in_threadpool(answered, models, request.path_params, request.method, body))
        except Refused as refused:
            return JSONResponse({"error": refused.message}, STATUS[refused.code])

    async def failed(request: Request, error: Exception) -> JSONResponse:
        """Returns an error of Starlette, or a bug of ours, in the form of all others."""
        code = getattr(error, "status_code", 500)
        return JSONResponse({"error": getattr(error, "detail", "Internal error.")}, code)

    routes = [Route("/v1/models/{path:path}", answer, methods=["GET", "POST"])]
    return Starlette(routes=routes, exception_handlers={HTTPException: failed, Exception: failed})


async def read(request: Request) -> bytes:
    """Returns the body of a request; raises Refused if it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Refused("RESOURCE_EXHAUSTED", f"A request may have {LARGEST} bytes: send fewer rows, or use gRPC.")
    return bytes(body)


def answered(models: Models, path: dict[str, str], method: str, body: bytes | None) -> dict[str, Any]:
    """Returns the JSON object that answers a request.

    Args:
        models: the models of a folder of exports.
        path: `{"path": ...}`, with what follows `/v1/models/` in the address.
        method: GET or POST.
        body: of a POST request, otherwise None.

    Raises:
        Refused: the address is unknown, or the request cannot be answered.
    """
    place, colon, verb = path["path"].partition(":")
    name, *rest = place.split("/")
    asked, version = (rest.pop() if rest[-1:] == ["metadata"] else ""), {}
    if len(rest) == 2 and rest[0] == "versions" and rest[1].isdecimal() and len(rest[1]) < 20:
        version = {"version": int(rest[1])}
    elif len(rest) == 2 and rest[0] == "labels":
        version = {"label": rest[1]}
    elif rest:
        raise Refused("NOT_FOUND", f"Malformed request: {method} /v1/models/{path['path']}")
    if (method, verb, asked) == ("POST", "predict", ""):
        return predicted(models, name, models.resolve(name, **version), body)
    if (method, colon, asked) == ("GET", "", "metadata"):
        return json_format.MessageToDict(
            metadata(models, name, models.resolve(name, **version)), preserving_proto_field_name=True
        )
    if (method, colon) == ("GET", ""):
        failures = models.failures(name)
        number = models.resolve(name, **version) if "label" in version else version.get("version")
        if number is not None and number not in failures:
            raise Refused("NOT_FOUND", f"Could not find version {number} of model {name}")
        return status({each: words for each, words in failures.items() if number in (None, each)})
    raise Refused("INVALID_ARGUMENT", f"Malformed request: {method} /v1/models/{path['path']}")


def status(failures: dict[int, str]) -> dict[str, Any]:
    """Returns the JSON object with the state of versions, newest first.

    Args:
        failures: `{version: why it cannot be loaded}`, "" where it is loaded.
    """
    found = [
        {
            "version": str(version),
            "state": "END" if words else "AVAILABLE",
            "status": {"error_code": "UNKNOWN" if words else "OK", "error_message": words},
        }
        for version, words in sorted(failures.items(), reverse=True)
    ]
    return {"model_version_status": found}


def predicted(models: Models, name: str, version: int, body: bytes) -> dict[str, Any]:
    """Returns the JSON object that answers a `:predict` request.

    The answer has rows if the body has `instances`, which are rows too, and columns if it has `inputs`.

    Args:
        models: the models of a folder of exports.
        name: of the model.
        version: of the model.
        body: JSON.

    Raises:
        Refused: the body cannot be read, or the signature does not accept its inputs.
    """
    request = parsed(body)
    signature, rows = request.get("signature_name", ""), "instances" in request
    if not isinstance(signature, str) or rows == ("inputs" in request):
        raise Refused("INVALID_ARGUMENT", 'The body must have either "instances" or "inputs", and a "signature_name".')
    inputs = columns(request["instances"]) if rows else request["inputs"]
    if not isinstance(inputs, dict):  # the only input of a signature needs no name
        specs = models.signatures(name, version).get(signature or "serving_default")
        names = list(specs.structured_input_signature[1]) if specs else []
        if len(names) != 1:
            raise Refused("INVALID_ARGUMENT", f"Inputs must be named: {names}.")
        inputs = {names[0]: inputs}
    arrays = {key: array(value, key) for key, value in inputs.items()}
    outputs = {key: jsonable(value, key) for key, value in models.predict(name, version, signature, arrays).items()}
    if rows:
        lengths = {len(value) if isinstance(value, list) else -1 for value in outputs.values()}
        if len(lengths) != 1 or -1 in lengths:
            raise Refused("INVALID_ARGUMENT", "Outputs have no rows in common: ask with inputs in place of instances.")
        each = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
        return {"predictions": next(iter(outputs.values())) if len(outputs) == 1 else each}
    return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}


def parsed(body: bytes) -> dict[str, Any]:
    """Returns the object of a JSON body; raises Refused if it is not an object, or has NaN or infinity."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON number")

    try:
        request = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Refused("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise Refused("INVALID_ARGUMENT", "JSON Value: the body must be an object.")
    return request


def columns(instances: Any) -> dict[str, list] | list:
    """Returns the rows of `instances` as named columns; rows without names are returned as they are."""
    if not isinstance(instances, list) or not instances:
        raise Refused("INVALID_ARGUMENT", '"instances" must be a list, and not empty.')
    if not isinstance(instances[0], dict):
        return instances
    names = set(instances[0])
    if not all(isinstance(row, dict) and set(row) == names for row in instances):
        raise Refused("INVALID_ARGUMENT", "All rows of instances must have the same names.")
    return {name: [row[name] for row in instances] for name in names}


def array(value: Any, name: str) -> np.ndarray:
    """Returns a JSON value as an array of its shape; raises Refused if it is ragged or has other values."""
    try:
        found = np.asarray(value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Refused("INVALID_ARGUMENT", f"{name}: {error}") from error
    if found.dtype.kind not in "iuf":
        raise Refused("INVALID_ARGUMENT", f"{name} must be numbers, in lists of equal length.")
    return found


def jsonable(value: np.ndarray, name: str) -> Any:
    """Returns an array as a JSON value; strings become base64 if the name of the output ends in `_bytes`.

    Raises:
        Refused: a number is not finite, for which JSON has no word: the inputs were too large.
    """
    if value.dtype != object:
        if not np.isfinite(value).all():
            raise Refused("INVALID_ARGUMENT", f"{name} has NaN or infinity: the inputs are too large for the model.")
        return value.tolist()
    return [{"b64": base64.b64encode(each).decode()} if name.endswith("_bytes") else each.decode() for each in value]
