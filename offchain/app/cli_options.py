"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RpcOption = Annotated[str, typer.Option("--rpc", help="HTTP address of a node.")]
SettlementOption = Annotated[
    str, typer.Option("--settlement", help="0x address of the settlement contract.")
]
BeaconOption = Annotated[
    str | None,
    typer.Option("--beacon", help="HTTP address of a beacon node or archive, for blobs."),
]
FirstBlockOption = Annotated[
    int | None,
    typer.Option(
        "--first-block",
        min=0,
        help="No later than the first contract; found through an archive node by default, else 0.",
    ),
]
KeyOption = Annotated[Path, typer.Option("--key-file", help="File with a 0x private key.")]


def address(text: str) -> bytes:
    """Return the 20 bytes of a 0x address; a usage error otherwise."""
    digits = text.removeprefix("0x")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    if len(value) != 20 or not text.startswith("0x"):
        raise typer.BadParameter(f"{text!r} is no 0x address of 20 bytes")
    return value
