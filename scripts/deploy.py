"""Deploy a development venue on a running chain and write down where its contracts are.

python scripts/deploy.py --rpc http://127.0.0.1:8545 --key-file KEY --out build/deployment.json
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from offchain.app.devnet import launch, save_deployment
from offchain.app.exit_codes import exit_of
from offchain.app.keeper_command import read_key
from offchain.services.errors import OffchainError


def deploy(
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    key_file: Annotated[Path, typer.Option(help="File with the 0x private key that pays.")],
    out: Annotated[Path, typer.Option(help="Where the record goes.")] = Path(
        "build/deployment.json"
    ),
) -> None:
    """Compile with the pinned compiler, deploy every contract, and print the addresses."""
    read_key(key_file)  # refuses what is no key
    devnet = launch(rpc, key_file.read_text().strip(), time.time_ns())
    save_deployment(devnet, out)
    for name, address in devnet.chain.deployment.addresses.items():
        typer.echo(f"{name:<20} {address}")
    devnet.chain.close()


if __name__ == "__main__":
    try:
        typer.run(deploy)
    except (OffchainError, OSError) as fault:
        typer.echo(f"error: {type(fault).__name__}: {fault}", err=True)
        sys.exit(int(exit_of(fault)))
