"""Seeded hostile JSON-RPC texts: noise, garbled requests, and well-formed nonsense."""

import json
import random
from collections.abc import Callable

SEED_TEXT = (
    '{"jsonrpc":"2.0","id":7,"method":"public/get_margin","params":{"cash_e6":"5",'
    '"collateral_e8":["1"],"positions":[{"instrument":"0","lots":"-3","cost_e6":"9"}]}}'
)
NUMBERS = (
    "0",
    "-0",
    "1e999",
    "-1E-400",
    "NaN",
    "Infinity",
    "9" * 400,
    "1.5",
    "00",
    "-",
    "1" * 5_000,
)
TEXTS = ('"\\ud800"', '"\\u0000"', '"' + "x" * 3_000 + '"', '"\u202e\U0001f600"', '"0x"', '"-1"')
CONSTANTS = ("true", "false", "null", "{}", "[]")
PARAMS = (
    "account",
    "owner",
    "instrument",
    "lots",
    "limit_price_e8",
    "time_in_force",
    "reduce_only",
    "nonce",
    "expires_at_ns",
    "signature",
    "limit",
    "before",
    "batch_no",
    "index",
    "depth",
    "positions",
    "collateral_e8",
    "channels",
    "order_id",
    "asset",
    "amount",
)
INTEGERS = (
    0,
    1,
    -1,
    255,
    256,
    65_535,
    2**31,
    2**32 - 1,
    2**53,
    2**63 - 1,
    2**64,
    -(2**127),
    10**38,
)


class Garbler:
    """Draws hostile texts for the methods of a server; the same ones for the same seed."""

    def __init__(self, seed: int, methods: list[str]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - test data
        self._methods = [*methods, "subscribe", "unsubscribe", "", "rpc.discover", "public/none"]
        self._kinds: tuple[Callable[[], bytes], ...] = (
            self._noise,
            self._mutated,
            self._mutated,
            self._nested,
            self._doubled,
            self._array,
            self._call,
            self._call,
            self._call,
        )

    def text(self) -> bytes:
        """Return the next text."""
        return self._random.choice(self._kinds)()

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randrange(200))

    def _mutated(self) -> bytes:
        text = bytearray(SEED_TEXT.encode())
        for _ in range(self._random.randint(1, 4)):
            place = self._random.randrange(len(text))
            match self._random.randrange(4):
                case 0:
                    text[place] = self._random.randrange(256)
                case 1:
                    del text[place:]
                    text += b" "
                case 2:
                    text[place:place] = self._random.choice((*NUMBERS, *TEXTS)).encode()
                case _:
                    text[place:place] = self._random.choice((b"{", b"}", b"[", b"]", b",", b'"'))
        return bytes(text)

    def _nested(self) -> bytes:
        depth = self._random.choice((5, 15, 16, 17, 100, 20_000))
        opened, closed = self._random.choice((("[", "]"), ('{"a":', "}")))
        body = opened * depth + "1" + closed * self._random.choice((depth, 0))
        if self._random.random() < 0.5:
            return body.encode()[:60_000]
        head = '{"jsonrpc":"2.0","id":1,"method":"public/get_margin","params":'
        return (head + body + "}").encode()[:60_000]

    def _doubled(self) -> bytes:
        member = self._random.choice(('"id":2', '"method":"x"', '"params":{}', '"params":{"a":1}'))
        return (SEED_TEXT[:-1] + "," + member + "}").encode()

    def _array(self) -> bytes:
        count = self._random.choice((0, 1, 2, 20, 21, 300))
        parts = (self._call() if self._random.random() < 0.7 else b"1" for _ in range(count))
        return (b"[" + b",".join(parts) + b"]")[:60_000]

    def _call(self) -> bytes:
        members = {
            "jsonrpc": self._mostly('"2.0"'),
            "id": self._mostly("1"),
            "method": self._mostly(json.dumps(self._random.choice(self._methods))),
            "params": self._mostly(self._params()),
        }
        kept = [f'"{k}":{v}' for k, v in members.items() if self._random.random() < 0.97]
        return ("{" + ",".join(kept) + "}").encode()

    def _mostly(self, usual: str) -> str:
        return usual if self._random.random() < 0.95 else self._value(0)

    def _params(self) -> str:
        names = self._random.sample(PARAMS, self._random.randrange(5))
        return "{" + ",".join(f'"{name}":{self._value(0)}' for name in names) + "}"

    def _value(self, depth: int) -> str:
        kind = self._random.randrange(8 if depth < 3 else 6)
        if kind == 7:
            names = self._random.sample(PARAMS, 2)
            parts = (f'"{name}":{self._value(depth + 1)}' for name in names)
            return "{" + ",".join(parts) + "}"
        if kind == 6:
            count = self._random.randrange(4)
            return "[" + ",".join(self._value(depth + 1) for _ in range(count)) + "]"
        if kind < 3:
            number = str(self._random.choice(INTEGERS))
            return json.dumps(number) if kind else number
        return self._random.choice((NUMBERS, TEXTS, CONSTANTS)[kind - 3])
