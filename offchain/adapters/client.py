"""A small Python client of the JSON-RPC API, synchronous and typed where it can fail."""

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from offchain.adapters.client_intents import METHOD_OF, intent_params
from offchain.services.errors import OffchainError
from offchain.services.gateway import Intent


class ApiError(OffchainError):
    """The server answered a call with an error.

    Attributes
    ----------
    code : int
        A JSON-RPC code or a stable number of `docs/API.md`.
    reason : str
        Name of the refusal, empty when the code is not one.
    numbers : dict
        The figures behind it, as integers.
    """

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        data = error.get("data") or {}
        self.method, self.code, self.data = method, int(error["code"]), data
        self.reason = str(data.get("reason", ""))
        self.numbers = {k: int(v) for k, v in data.get("numbers", {}).items()}
        super().__init__(f"{method}: {error['message']} ({self.code}) {self.numbers or ''}".strip())


class ApiUnavailable(OffchainError):  # noqa: N818 - a fault is named by what happened
    """The server cannot be reached, or does not speak JSON-RPC."""


class ApiClient:
    """Calls methods of one server. Not safe to share between threads.

    Parameters
    ----------
    url : str
        Base address of the server, for example the `url` of an `ApiServer`.
    timeout : float
        Longest wait for one answer. [s]
    """

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def call(self, method: str, **params: object) -> Any:
        """Return the result of a method. Integers of the result are decimal strings.

        Integers, bytes (as 0x hex), lists and dictionaries of them are converted on the way out.

        Raises
        ------
        ApiError
            The method answered with an error.
        ApiUnavailable
            No answer, or none in JSON-RPC.
        """
        request = {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": {k: _plain(v) for k, v in params.items() if v is not None},
        }
        try:
            answer = self._http.post("/rpc", json=request).json()
        except (httpx.HTTPError, ValueError) as error:
            raise ApiUnavailable(f"{method}: {type(error).__name__}: {error}") from error
        if not isinstance(answer, dict) or not {"result", "error"} & set(answer):
            raise ApiUnavailable(f"{method}: not a JSON-RPC answer")
        if "error" in answer:
            raise ApiError(method, answer["error"])
        return answer["result"]

    def submit(self, intent: Intent) -> Any:
        """Send an intent that its owner signed, and return the receipt.

        Raises
        ------
        ApiError
            The gate or the engine refused; `reason` and `numbers` say why.
        ApiUnavailable
            No answer, or none in JSON-RPC; whether it was taken shows by its nonce.
        """
        return self.call(METHOD_OF[type(intent)], **intent_params(intent))

    def account_margin(self, account: int) -> Any:
        """Return the margin of an account line by line."""
        return self.call("public/get_account_margin", account=account)

    def account_exposure(self, account: int) -> Any:
        """Return Greeks by position and exposure by underlying."""
        return self.call("public/get_account_exposure", account=account)

    def liquidation_prices(self, account: int, underlying: int | None = None) -> Any:
        """Return the liquidation prices of one underlying, or of each, with their reasons."""
        method = "public/get_liquidation_prices"
        return self.call(method, account=account, underlying=underlying)

    def preview_margin(
        self, account: int, trades: Sequence[tuple[int, int]] = (), mode: str | None = None
    ) -> Any:
        """Return the margin before and after trades of (instrument, lots) at their marks."""
        legs = [{"instrument": i, "lots": lots} for i, lots in trades]
        return self.call("public/preview_margin", account=account, trades=legs, mode=mode)

    def is_ready(self) -> bool:
        """Tell whether the server takes orders."""
        try:
            return self._http.get("/health/ready").status_code == 200
        except httpx.HTTPError:
            return False


def _plain(value: object) -> object:
    match value:
        case bool() | str() | None:
            return value
        case int():
            return str(int(value))
        case bytes():
            return f"0x{value.hex()}"
        case dict():
            return {k: _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case _:
            raise TypeError(f"{type(value).__name__} is no parameter")
