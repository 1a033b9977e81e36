"""Commands of those who do not trust the operator: ``exit`` and ``force``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from offchain.app.cli_options import (
    BeaconOption,
    FirstBlockOption,
    JsonOption,
    KeyOption,
    RpcOption,
    SettlementOption,
    address,
)
from offchain.app.exit_codes import Exit

MOST_UNITS = (1 << 128) - 1
MOST_SECONDS = (1 << 64) - 1
app = typer.Typer()
force_app = typer.Typer(
    help="Queue an operation that the sequencer cannot pass by; sign with the owner's key.",
    no_args_is_help=True,
)
SubaccountOption = Annotated[
    int, typer.Option("--subaccount", min=0, max=255, help="Which account of the owner.")
]
AddressOfKey = Annotated[str, typer.Option("--trading-key", help="0x address of a trading key.")]


@app.command()
def exit(  # noqa: A001 - the name of the command
    rpc: RpcOption,
    settlement: SettlementOption,
    key: KeyOption,
    account: Annotated[
        int | None, typer.Option("--account", min=0, help="One account; by default all.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="0x address; by default that of the key.")
    ] = None,
    beacon: BeaconOption = None,
    first_block: FirstBlockOption = None,
    *,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Freeze the venue first, if the contracts take it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Leave a frozen venue with all that is owed, from chain data alone; any key can pay for it."""
    from offchain.app.exit_command import look_out, run_exit  # noqa: PLC0415 - slow
    from offchain.services.errors import NotFrozenYet  # noqa: PLC0415 - keep --help quick

    if account is not None and owner is not None:
        raise typer.BadParameter("Give '--account' or '--owner', not both.")
    who = account if owner is None else address(owner)
    where = address(settlement)
    try:
        report = run_exit(
            rpc, where, key, who, freeze=freeze, beacon=beacon, first_block=first_block
        )
    except NotFrozenYet:
        if as_json:
            typer.echo(json.dumps(look_out(rpc, where, first_block).to_json()))
        raise
    typer.echo(json.dumps(report.to_json()) if as_json else "\n".join(report.lines()))
    if report.refused:
        raise typer.Exit(int(Exit.REFUSED))


@force_app.command()
def withdraw(
    rpc: RpcOption,
    settlement: SettlementOption,
    key: KeyOption,
    asset: Annotated[int, typer.Option("--asset", min=0, max=255, help="0 is cash.")] = 0,
    amount: Annotated[
        int | None,
        typer.Option(
            "--amount", min=1, max=MOST_UNITS, help="USD e-6 or token e-8; by default all free."
        ),
    ] = None,
    subaccount: SubaccountOption = 0,
) -> None:
    """Force a withdrawal of what is free."""
    units = MOST_UNITS if amount is None else amount
    _force(rpc, settlement, key, "WITHDRAWAL", subaccount, asset, units)


@force_app.command("cancel-all")
def cancel_all(
    rpc: RpcOption, settlement: SettlementOption, key: KeyOption, subaccount: SubaccountOption = 0
) -> None:
    """Force the cancellation of every resting order of an account."""
    _force(rpc, settlement, key, "CANCEL_ALL", subaccount)


@force_app.command()
def close(
    rpc: RpcOption,
    settlement: SettlementOption,
    key: KeyOption,
    instrument: Annotated[int, typer.Option("--instrument", min=0, max=65_535, help="Its id.")],
    lots: Annotated[
        int, typer.Option("--lots", min=0, max=MOST_UNITS, help="0 is the whole position.")
    ] = 0,
    subaccount: SubaccountOption = 0,
) -> None:
    """Force a position to be reduced."""
    _force(rpc, settlement, key, "CLOSE", subaccount, instrument, lots)


@force_app.command()
def grant(
    rpc: RpcOption,
    settlement: SettlementOption,
    key: KeyOption,
    trading_key: AddressOfKey,
    expires: Annotated[
        int, typer.Option("--expires", min=1, max=MOST_SECONDS, help="Seconds since 1970.")
    ],
) -> None:
    """Let a trading key sign orders and cancels for all accounts of the owner."""
    _force(rpc, settlement, key, "GRANT", address(trading_key), expires)


@force_app.command()
def revoke(
    rpc: RpcOption,
    settlement: SettlementOption,
    key: KeyOption,
    trading_key: AddressOfKey = "0x" + "00" * 20,
) -> None:
    """Take a trading key back, or all of them."""
    _force(rpc, settlement, key, "REVOKE", address(trading_key))


app.add_typer(force_app, name="force")


def _force(rpc: str, settlement: str, key: Path, kind: str, *arguments: object) -> None:
    from offchain.app.force_command import Forcing, run_force  # noqa: PLC0415 - slow
    from offchain.engine.messages import EntryKind  # noqa: PLC0415 - keep --help quick

    forcing = Forcing(EntryKind[kind], arguments)
    typer.echo(json.dumps(run_force(rpc, address(settlement), key, forcing)))
