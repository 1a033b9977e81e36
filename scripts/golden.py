"""How golden vectors are written: names for arbitrary numbers, plain JSON values, one file a call.

Deterministic: every arbitrary number is a hash of its name. Integers are decimal strings, bytes
0x hex, arrays flat, so that forge reads each by its key path. `count` is the number of cases.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from offchain.ledger.keccak import keccak256
from offchain.ledger.leaf import AccountLeaf

VECTORS = Path(__file__).parents[1] / "tests" / "vectors"
Case = dict[str, object]


def word(name: str) -> bytes:
    """Return 32 bytes that follow from a name."""
    return keccak256(f"plimsoll vector {name}".encode())


def number(name: str, low: int, high: int) -> int:
    """Return an integer in [low, high] that follows from a name."""
    return low + int.from_bytes(word(name)) % (high - low + 1)


def owner(name: str) -> bytes:
    """Return an address that follows from a name."""
    return word(name)[12:]


def plain(value: object) -> object:
    """Return a value as the vectors write it: decimal strings, 0x hex, flat lists."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    raise TypeError(type(value))


def case(name: str, **fields: object) -> Case:
    """Return one case."""
    return {"name": name, **{key: plain(value) for key, value in fields.items()}}


def camel(name: str) -> str:
    """Return a Python field name as Solidity writes it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def leaf_fields(leaf: AccountLeaf) -> Case:
    """Return a leaf as flat fields."""
    return {
        "owner": leaf.owner,
        "subaccount": leaf.subaccount,
        "mode": leaf.mode,
        "cashE6": leaf.cash_e6,
        "collateralE8": leaf.collateral_e8,
        "instruments": [x.instrument for x in leaf.positions],
        "lots": [x.lots for x in leaf.positions],
        "costsE6": [x.cost_e6 for x in leaf.positions],
    }


Files = Mapping[str, Callable[[], Iterator[Case]]]


def text(name: str, cases: Callable[[], Iterator[Case]]) -> str:
    """Return the content of one vector file."""
    made = list(cases())
    document = {"schema": f"plimsoll.{name}.v1", "count": str(len(made)), "cases": made}
    return json.dumps(document, indent=1) + "\n"


def write(files: Files) -> int:
    """Write every file and name it; return the exit status."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    for name, cases in files.items():
        (VECTORS / f"{name}.json").write_text(text(name, cases))
        print(f"tests/vectors/{name}.json")
    return 0
