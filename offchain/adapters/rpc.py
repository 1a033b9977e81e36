"""JSON-RPC 2.0: one registry of methods, served the same over HTTP and WebSocket.

Errors have the codes of the specification, or stable numbers: 1xxxx from the machine and the
gate (`Reason`, `IntentReason`) and those of `Fault` below. Internal text never leaves.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from offchain.adapters.json_text import JsonRefused, read_json, write_json
from offchain.engine.reasons import Rejected
from offchain.services.errors import (
    BatchOverdue,
    CommandUnencodable,
    LogFailed,
    SequencerHalted,
)
from offchain.services.gateway import Refused

MAX_CALLS = 20
"""Calls in one batch request."""
P = TypeVar("P", bound=BaseModel)
_LOG = logging.getLogger(__name__)


class Fault(IntEnum):
    """Codes of answers that neither the specification nor the machine gives."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    UNKNOWN_METHOD = -32601
    BAD_PARAMS = -32602
    INTERNAL = -32603
    RATE_LIMITED = 10028
    BUSY = 10029
    TOO_MANY_CONNECTIONS = 10030
    TOO_LARGE = 10031
    TOO_SLOW = 10032
    NOT_FOUND = 11101
    UNKNOWN_CHANNEL = 11102
    HALTED = 16101
    BATCH_OVERDUE = 16102


class RpcError(Exception):
    """An answer to a call that is an error."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def body(self) -> dict[str, Any]:
        """Return the `error` member; its `code` stays a JSON number, as the specification says."""
        return {"code": self.code, "message": self.message, "data": self.data or {}}


def refusal(refused: Rejected | Refused) -> RpcError:
    """Return the error for an answer of the machine or the gate."""
    numbers = {name: str(value) for name, value in refused.numbers}
    text = refused.reason.name.lower().replace("_", " ")
    return RpcError(int(refused.reason), text, {"reason": refused.reason.name, "numbers": numbers})


class Place(Enum):
    """Where a handler runs."""

    ENGINE = "engine"  # with the sequencer's lock held
    ANALYSIS = "analysis"  # with the lock for as long as it takes to copy what is analysed
    HISTORY = "history"  # against the read model


@dataclass(frozen=True, slots=True)
class Method:
    """One method: everything that transports, documents and clients need to know of it."""

    name: str
    params: type[BaseModel]
    place: Place
    handler: Callable[[Any, Any], object]
    doc: str


class Registry:
    """The methods by name."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def add(
        self, name: str, params: type[P], place: Place = Place.ENGINE
    ) -> Callable[[Callable[[Any, P], object]], Callable[[Any, P], object]]:
        """Register the decorated handler ``(context, params) -> result``."""

        def register(handler: Callable[[Any, P], object]) -> Callable[[Any, P], object]:
            assert name not in self._methods
            doc = (handler.__doc__ or "").strip().splitlines()[0]
            self._methods[name] = Method(name, params, place, handler, doc)
            return handler

        return register

    def get(self, name: str) -> Method:
        """Return a method; RpcError when there is none."""
        if name not in self._methods:
            raise RpcError(Fault.UNKNOWN_METHOD, "unknown method")
        return self._methods[name]

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())


class Runner(Protocol):
    """Runs handlers where they belong, refusing when too many wait."""

    async def run(self, method: Method, params: BaseModel) -> object:
        """Return the result of the handler."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One valid request; `is_notification` calls get no answer."""

    method: str
    params: dict[str, Any]
    id: object
    is_notification: bool


class RpcServer:
    """Answers JSON-RPC texts from a registry."""

    def __init__(self, registry: Registry, runner: Runner) -> None:
        self.registry, self.runner = registry, runner

    async def answer(self, text: bytes) -> bytes | None:
        """Return the answer to a request or batch of requests; None when nothing is to be said."""
        try:
            requests = read_json(text)
        except JsonRefused as why:
            return failure(None, RpcError(Fault.PARSE, "parse error", {"detail": str(why)}))
        if not isinstance(requests, list):
            return await self._one(requests)
        if not 0 < len(requests) <= MAX_CALLS:
            limit = {"limit": str(MAX_CALLS)}
            return failure(None, RpcError(Fault.INVALID_REQUEST, "size of the batch", limit))
        answers = [await self._one(request) for request in requests]
        said = [a for a in answers if a is not None]
        return b"[" + b",".join(said) + b"]" if said else None

    async def _one(self, request: object) -> bytes | None:
        try:
            call = parse_call(request)
        except RpcError as error:
            return failure(_id_of(request), error)
        answer = await self.call(call)
        return None if call.is_notification else answer

    async def call(self, call: Call) -> bytes:
        """Return the answer to one valid call."""
        try:
            method = self.registry.get(call.method)
            result = await self.runner.run(method, _validate(method.params, call.params))
            return success(call.id, result)
        except Exception as error:  # noqa: BLE001 - the last line: a bug answers one call, not all
            return failure(call.id, answer_to(error, call.method))


def answer_to(error: Exception, method: str) -> RpcError:
    """Return what a client is told of an exception; a bug is logged, and nothing of it shown."""
    match error:
        case RpcError():
            return error
        case SequencerHalted() | LogFailed():
            return RpcError(Fault.HALTED, "the sequencer has stopped")
        case BatchOverdue():
            return RpcError(Fault.BATCH_OVERDUE, "a batch is overdue")
        case CommandUnencodable():
            return RpcError(Fault.BAD_PARAMS, "a value is out of range")
        case _:
            _LOG.error("method %s failed", method, exc_info=error)
            return RpcError(Fault.INTERNAL, "internal error")


def parse_call(request: object) -> Call:
    """Return a request as a call; RpcError when it is not JSON-RPC 2.0 with named parameters."""
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
        raise RpcError(Fault.INVALID_REQUEST, "not a JSON-RPC 2.0 request")
    method, params, id_ = request.get("method"), request.get("params", {}), request.get("id")
    if not isinstance(method, str):
        raise RpcError(Fault.INVALID_REQUEST, "the method is not a string")
    if set(request) - {"jsonrpc", "method", "params", "id"}:
        raise RpcError(Fault.INVALID_REQUEST, "unknown members")
    if _id_of(request) != id_ or isinstance(id_, bool):
        raise RpcError(Fault.INVALID_REQUEST, "the id is not a short string or integer")
    if not isinstance(params, dict):
        raise RpcError(Fault.BAD_PARAMS, "parameters go by name")
    return Call(method, params, id_, "id" not in request)


def success(id_: object, result: object) -> bytes:
    """Return the text of a result."""
    return b'{"jsonrpc":"2.0","id":' + _id_text(id_) + b',"result":' + write_json(result) + b"}"


def failure(id_: object, error: RpcError) -> bytes:
    """Return the text of an error."""
    body = error.body()
    code = str(int(body.pop("code"))).encode()
    rest = write_json(body)[1:]
    return (
        b'{"jsonrpc":"2.0","id":' + _id_text(id_) + b',"error":{"code":' + code + b"," + rest + b"}"
    )


def _id_of(request: object) -> object:
    """Return an id that may be repeated to the client: None unless short and plain."""
    id_ = request.get("id") if isinstance(request, dict) else None
    if isinstance(id_, str) and len(id_) <= 128:
        return id_
    if isinstance(id_, int) and not isinstance(id_, bool) and abs(id_) < 1 << 63:
        return id_
    return None


def _id_text(id_: object) -> bytes:
    return str(id_).encode() if isinstance(id_, int) else write_json(id_)


def _validate(params: type[BaseModel], given: dict[str, Any]) -> BaseModel:
    try:
        return params.model_validate(given)
    except ValidationError as error:
        problems = [
            {"param": ".".join(map(str, e["loc"])) or "params", "problem": e["msg"]}
            for e in error.errors(include_url=False, include_input=False)[:10]
        ]
        raise RpcError(Fault.BAD_PARAMS, "invalid parameters", {"problems": problems}) from None
