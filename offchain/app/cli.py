"""The command line. Data goes to standard output, progress and problems to standard error.

Exit codes are those of `exit_codes`; docs/ERRORS.md lists every wrong input. Heavy modules are
imported by the command that needs them, so that ``--help`` is quick.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from offchain.app import custody_cli
from offchain.app.cli_options import (
    BeaconOption,
    FirstBlockOption,
    JsonOption,
    RpcOption,
    SettlementOption,
    address,
)
from offchain.app.exit_codes import Exit, exit_of

app = typer.Typer(
    name="plimsoll",
    help="A margin engine for crypto derivatives that nobody has to trust.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


app.add_typer(custody_cli.app)

UP_PORTS = (8080, 8545)
"""Where `up` serves its API and its chain unless it is told otherwise."""


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="Candle file: ts,open,high,low,close,volume.")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Where results go.")] = Path(
        "build/demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the population.")] = 10,
    *,
    as_json: JsonOption = False,
) -> None:
    """Replay a crash end to end on a local chain, and audit it."""
    from offchain.app.demo.run import SHIPPED, DemoChoices, run_demo  # noqa: PLC0415 - slow

    summary = run_demo(DemoChoices(data or SHIPPED, folder, seed))
    if as_json:
        typer.echo(json.dumps(summary))
        return
    for name, value in summary.items():
        if name != "gas":
            typer.echo(f"{name:<20} {value}")
    typer.echo(f"written: {folder / 'summary.json'}, {folder / 'demo.png'}")


@app.command()
def audit(
    rpc: RpcOption,
    settlement: SettlementOption,
    beacon: BeaconOption = None,
    first_block: FirstBlockOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Replay everything from chain data alone and print a verdict for each check."""
    from offchain.app.audit_command import run_audit  # noqa: PLC0415 - slow

    report = run_audit(rpc, address(settlement), beacon, first_block)
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        for line in report.lines():
            typer.echo(line)
    if not report.is_ok:
        raise typer.Exit(int(Exit.VERIFICATION_FAILED))


@app.command()
def up(
    api_port: Annotated[
        int, typer.Option("--api-port", min=0, max=65_535, help="0 chooses a free one.")
    ] = UP_PORTS[0],
    rpc_port: Annotated[
        int, typer.Option("--rpc-port", min=0, max=65_535, help="0 chooses a free one.")
    ] = UP_PORTS[1],
    folder: Annotated[Path, typer.Option("--folder", help="Data of the node.")] = Path("build/up"),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random walk.")] = 1,
    *,
    in_blobs: Annotated[
        bool, typer.Option("--blobs", help="Post batches in blobs, not in calldata.")
    ] = False,
) -> None:
    """Keep a devnet running: chain, contracts, oracles, sequencer, batcher, keeper and API."""
    from offchain.app.up import UpChoices, run_up  # noqa: PLC0415 - slow

    run_up(UpChoices(api_port, rpc_port, folder, seed, in_blobs))


@app.command()
def doctor(
    rpc: Annotated[str | None, typer.Option("--rpc", help="Also examine a chain.")] = None,
    deployment: Annotated[
        Path | None, typer.Option("--deployment", help="Record of what must be on that chain.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Name what is wrong on this machine, each with a remedy; without a chain, also the ports."""
    from offchain.app.doctor import run_doctor  # noqa: PLC0415 - its checks import much

    if deployment is None:
        findings = run_doctor(rpc, ports=() if rpc else UP_PORTS)
    else:
        from offchain.adapters.deployment import Deployment  # noqa: PLC0415 - slow

        record = Deployment.load(deployment)
        findings = run_doctor(rpc, record.addresses.values(), record.chain_id)
    if as_json:
        typer.echo(json.dumps([vars_of(f) for f in findings]))
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name:<12} {finding.detail}")
            if not finding.ok:
                typer.echo(f"     remedy: {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(int(Exit.FAILURE))


@app.command()
def keeper(
    rpc: RpcOption,
    settlement: SettlementOption,
    api: Annotated[str, typer.Option("--api", help="Address of the venue's API.")],
    key: Annotated[Path, typer.Option("--key-file", help="File with a 0x private key.")],
    steps: Annotated[int, typer.Option("--steps", min=0, help="0 runs until interrupted.")] = 0,
    first_block: FirstBlockOption = None,
) -> None:
    """Watch committed batches, verify their liquidations on chain, and earn the fee."""
    from offchain.app.keeper_command import run_keeper  # noqa: PLC0415 - slow

    earnings = run_keeper(rpc, address(settlement), api, key, steps, first_block)
    typer.echo(json.dumps(earnings))


@app.command()
def watch(
    rpc: RpcOption,
    settlement: SettlementOption,
    key: Annotated[Path, typer.Option("--key-file", help="File with a 0x private key.")],
    steps: Annotated[int, typer.Option("--steps", min=0, help="0 runs until interrupted.")] = 0,
    *,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Only look; send nothing.")] = False,
    may_freeze: Annotated[
        bool, typer.Option("--freeze", help="Freeze the venue when the rules allow it.")
    ] = False,
    may_defend: Annotated[
        bool,
        typer.Option(
            "--defend/--no-defend",
            help="Show what others demand of right batches, so that none falls unanswered.",
        ),
    ] = True,
    beacon: BeaconOption = None,
    first_block: FirstBlockOption = None,
) -> None:
    """Replay committed batches, have wrong ones reverted, and earn the bounty."""
    from offchain.app.watch_command import WatchChoices, run_watch  # noqa: PLC0415 - slow

    choices = WatchChoices(
        rpc,
        address(settlement),
        key,
        steps,
        is_dry,
        may_freeze,
        beacon,
        may_defend,
        first_block,
    )
    if not run_watch(choices, lambda seen: typer.echo(json.dumps(seen))):
        raise typer.Exit(int(Exit.VERIFICATION_FAILED))


@app.command()
def margin(
    file: Annotated[
        Path | None, typer.Option("--input", help="Portfolio file; see docs/MARGIN_FILE.md.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Name of a margin model.")] = None,
    parameter_set: Annotated[
        str | None, typer.Option("--set", help="Named parameter set of the model.")
    ] = None,
    *,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the models with their sources.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Price a portfolio file under a margin model, line by line."""
    from offchain.app.margin_command import as_table, list_models, run_margin  # noqa: PLC0415 - slow

    if list_only:
        models = list_models()
        rows = [f"{m['name']:<16} {m['title']}  [{m['source']}]" for m in models]
        typer.echo(json.dumps(models) if as_json else "\n".join(rows))
        return
    if file is None:
        raise typer.BadParameter("Missing option '--input'.")
    answer = run_margin(file, model, parameter_set)
    typer.echo(json.dumps(answer) if as_json else "\n".join(as_table(answer)))


@app.command()
def calibrate(
    out: Annotated[Path, typer.Option("--out", help="Folder for the set and its report.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of history (docs/CALIBRATION.md).")
    ] = None,
    lookback_days: Annotated[
        int | None, typer.Option("--lookback-days", help="Window of the filtered history.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option("--confidence", help="One-sided, such as 0.995.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option("--previous", help="Parameter set that the new one follows.")
    ] = None,
    *,
    shortfall: Annotated[
        bool, typer.Option("--shortfall", help="Also put the scenarios into the set.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Propose a parameter set from price history, with its back-test and a report."""
    from offchain.app.calibrate_command import CalibrateChoices, run_calibrate  # noqa: PLC0415
    from offchain.calibration.errors import CalibrationError, SettingsError  # noqa: PLC0415

    choices = CalibrateChoices(out, data, previous, lookback_days, confidence, shortfall)
    try:
        summary = run_calibrate(choices)
    except CalibrationError as fault:
        typer.echo(f"error: {type(fault).__name__}: {fault}", err=True)
        wrong_words = isinstance(fault, SettingsError)
        raise typer.Exit(int(Exit.USAGE if wrong_words else Exit.CONFIGURATION)) from fault
    if as_json:
        typer.echo(json.dumps(summary))
        return
    for name, value in summary.items():
        typer.echo(f"{name:<16} {value}")


@app.command()
def stress(
    event: Annotated[
        str, typer.Option("--event", help="2020-03, 2021-05, ... 2025-10, or all.")
    ] = "all",
    file: Annotated[
        Path | None, typer.Option("--input", help="Candle file to replay in place of an event.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of market data (docs/STRESS.md).")
    ] = None,
    accounts: Annotated[int, typer.Option("--accounts", help="Traders of the venue.")] = 5_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything drawn.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Where results go.")] = Path("build/stress"),
    policies: Annotated[
        str | None, typer.Option("--policies", help="Names, separated by commas.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Replay crashes on thousands of accounts under several liquidation policies, and report."""
    from offchain.app.stress_command import StressChoices, run_stress  # noqa: PLC0415 - slow
    from offchain.stress.errors import StressDataError, StressError  # noqa: PLC0415 - the same
    from offchain.stress.replay import POLICIES  # noqa: PLC0415 - the same

    names = POLICIES if policies is None else tuple(policies.split(","))
    try:
        summary = run_stress(StressChoices(out, event, file, data, accounts, seed, names))
    except StressError as fault:
        typer.echo(f"error: {type(fault).__name__}: {fault}", err=True)
        is_data = isinstance(fault, StressDataError)
        raise typer.Exit(int(Exit.CONFIGURATION if is_data else Exit.USAGE)) from fault
    typer.echo(json.dumps(summary, indent=None if as_json else 1))


@app.command()
def parameters(
    node: Annotated[Path, typer.Argument(help="Folder of the node.")],
    file: Annotated[Path, typer.Argument(help="Canonical document of a parameter set.")],
) -> None:
    """Give a node the document of a set, to adopt it when governance does; print its hashes."""
    from offchain.app.parameters_command import add_document  # noqa: PLC0415 - slow

    typer.echo(json.dumps(add_document(node, file)))


@app.command()
def replay(
    log: Annotated[Path, typer.Argument(help="Folder of an input log.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Replay an input log and print the state root that follows from it."""
    from offchain.app.log_commands import replay_log  # noqa: PLC0415 - slow

    outcome = replay_log(log)
    typer.echo(
        json.dumps(outcome) if as_json else "\n".join(f"{k:<12} {v}" for k, v in outcome.items())
    )


@app.command()
def rebuild(
    log: Annotated[Path, typer.Argument(help="Folder of an input log.")],
    database: Annotated[str, typer.Option("--database", help="SQLAlchemy URL of the read model.")],
) -> None:
    """Drop the read model and build it again from the log."""
    from offchain.app.log_commands import rebuild_read_model  # noqa: PLC0415 - slow

    typer.echo(json.dumps(rebuild_read_model(log, database)))


def vars_of(finding: object) -> dict[str, object]:
    """Return the fields of a frozen record."""
    names: tuple[str, ...] = getattr(type(finding), "__slots__", ())
    return {name: getattr(finding, name) for name in names}


def main() -> None:
    """Run, and turn faults into exit codes."""
    if sys.flags.optimize:
        sys.exit("plimsoll states its invariants as assertions: do not run it under -O")
    from offchain.ledger.errors import LedgerError  # noqa: PLC0415 - keep --help quick
    from offchain.models.errors import ModelError  # noqa: PLC0415 - the same
    from offchain.services.errors import OffchainError  # noqa: PLC0415 - the same

    try:
        app()
    except (OffchainError, LedgerError, ModelError, OSError) as fault:
        typer.echo(f"error: {type(fault).__name__}: {fault}", err=True)
        sys.exit(int(exit_of(fault)))
    except KeyboardInterrupt:
        sys.exit(int(Exit.INTERRUPTED))
