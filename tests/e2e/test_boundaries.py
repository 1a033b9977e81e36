"""Every row of docs/ERRORS.md is tried: each wrong input meets its own error and code."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from offchain.adapters.client_intents import METHOD_OF, intent_params
from offchain.adapters.deployment import Deployment, DeploymentFileError
from offchain.adapters.log_file import LogFile
from offchain.adapters.rpc import Fault
from offchain.app.exit_codes import Exit, exit_of
from offchain.core.margin import Mode
from offchain.core.units import DAY_NS, TimestampNs
from offchain.engine.messages import FundingTick, Genesis
from offchain.ledger.document import document
from offchain.ledger.wire import PREFIX_BYTES, Record, encode_record
from tests.support.command_line import ROOT, Ran, plimsoll
from tests.support.devnet import Devnet, devnet
from tests.support.served import MAKER, TRADER, Served, order_params, serving
from tests.support.venue import NO_SIGNATURE, RULES, START_NS

PAGE = (ROOT / "docs/ERRORS.md").read_text()
NOBODY = "http://127.0.0.1:1"
ZERO = "0x" + "00" * 20
HEAD = "ts,open,high,low,close,volume\n"


def rows(prefix: str) -> dict[str, tuple[str, str]]:
    """Return error and code by the id of the rows that begin with a word."""
    found = re.findall(
        rf"^\| ({prefix}-\d+) \| [^|]+ \| ([^|]+) \| (-?\d+) \|$", PAGE, re.MULTILINE
    )
    return {row: (error, code) for row, error, code in found}


@dataclass(frozen=True)
class Place:
    """What the cases may use: a folder, a chain with a venue, and the venue's API."""

    folder: Path
    venue: Devnet
    api: str

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def log(self, name: str, *frames: bytes) -> Path:
        """Write a log of any frames, well chained."""
        with LogFile(self.folder / name) as store:
            store.append(frames)
        return self.folder / name


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    with devnet(tmp_path_factory.mktemp("chain")) as running:
        yield running


# Command line and files


def genesis(time_ns: int = START_NS) -> bytes:
    return encode_record(Record(1, time_ns, 1, Genesis(RULES)))


def with_payload(frame: bytes, payload: bytes) -> bytes:
    return frame[: PREFIX_BYTES - 4] + len(payload).to_bytes(4) + payload


def bad_document() -> bytes:
    text = document(RULES).replace(b'"quorum":"5"', b'"quorum":"2"')
    assert text != document(RULES)
    return with_payload(genesis(), text)


def refused_record() -> bytes:
    return encode_record(Record(2, START_NS, 1, FundingTick()))


def changed_log(place: Place) -> Path:
    folder = place.log("changed", genesis())
    segment = next(folder.glob("segment-*"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    return folder


def replay(folder: Path) -> Ran:
    return plimsoll("replay", folder)


def replay_open(place: Place) -> Ran:
    with LogFile(place.folder / "open"):
        return replay(place.folder / "open")


def rebuild(place: Place, url: str) -> Ran:
    return plimsoll("rebuild", place.log("rebuilt", genesis()), "--database", url)


def audit(rpc: str, settlement: str = ZERO) -> Ran:
    return plimsoll("audit", "--rpc", rpc, "--settlement", settlement)


def keeper(key: Path, *more: str) -> Ran:
    words = ("keeper", "--rpc", NOBODY, "--settlement", ZERO, "--api", NOBODY)
    return plimsoll(*words, "--key-file", key, *more)


def demo(place: Place, data: Path) -> Ran:
    return plimsoll("demo", "--data", data, "--folder", place.folder / "results")


def candles(place: Place, content: str, name: str = "candles.csv") -> Ran:
    return demo(place, place.file(name, content))


def foreign_folder(place: Place) -> Ran:
    precious = place.file("mine/thesis.txt", "years of work")
    ran = plimsoll("up", "--folder", precious.parent, "--rpc-port", "0", "--api-port", "0")
    assert precious.read_text() == "years of work"
    return ran


def load(path: Path) -> Ran:
    """Load a deployment record as a command would."""
    with pytest.raises(DeploymentFileError) as caught:
        Deployment.load(path)
    fault = caught.value
    return Ran(exit_of(fault), "", f"error: {type(fault).__name__}: {fault}")


def margin(place: Place, document: object, *words: str) -> Ran:
    text = document if isinstance(document, str) else json.dumps(document)
    return plimsoll("margin", "--input", place.file("portfolio.json", text), *words)


def portfolio(position: dict[str, object], **more: object) -> dict[str, object]:
    """Return a portfolio file with one position on ether, 30 days ahead, and no volatility."""
    expiry = {"seconds": 2_592_000, "forward": 2_010, "rate": 0}
    return {
        "model": "derive-pm2",
        "underlyings": {"ETH": {"spot": 2_000, "expiries": {"30d": expiry}}},
        "positions": [{"underlying": "ETH", "expiry": "30d", "amount": 1, **position}],
        **more,
    }


def calibrate(place: Place, *words: str | Path) -> Ran:
    return plimsoll("calibrate", "--out", place.folder / "set", *words)


def stress(place: Place, *words: str | Path) -> Ran:
    return plimsoll("stress", "--out", place.folder / "stress", *words)


def history(place: Place, *days: str) -> Ran:
    """Calibrate on a history whose prices are these rows."""
    for symbol in ("BTC", "ETH"):
        rows_of = "\n".join(["ts,close", *days, ""])
        place.file(f"past/calibration/spot_{symbol}USD.csv", rows_of)
    return calibrate(place, "--data", place.folder / "past")


def file_for_a_folder(place: Place) -> Ran:
    return plimsoll("calibrate", "--out", place.file("taken", "mine"))


def spaced_document() -> bytes:
    return document(RULES).replace(b",", b", ", 1)


OPTION: dict[str, object] = {"kind": "call", "strike": 2_000}
GOOD, LATER = "100,1,2,1,1,5\n", "160,1,2,1,1,5\n"
CHEAP = "1760000000,0.5,0.6,0.4,0.5,1\n1760000300,0.5,0.6,0.4,0.5,1\n"
COMMANDS: dict[str, Callable[[Place], Ran]] = {
    "CLI-1": lambda p: plimsoll("fly"),
    "CLI-2": lambda p: plimsoll("doctor", "--quickly"),
    "CLI-3": lambda p: plimsoll("audit"),
    "CLI-4": lambda p: audit(NOBODY, "0x12"),
    "CLI-5": lambda p: plimsoll("up", "--api-port", "70000"),
    "CLI-6": lambda p: keeper(p.folder, "--steps", "-1"),
    "CLI-7": lambda p: audit("nonsense"),
    "CLI-8": lambda p: audit(NOBODY),
    "CLI-9": lambda p: audit(p.api),
    "CLI-10": lambda p: audit(p.venue.anvil.url),
    "CLI-11": lambda p: audit(p.venue.anvil.url, p.venue.deployment.addresses["OracleHub"]),
    "CLI-12": lambda p: rebuild(p, "nonsense"),
    "CLI-13": lambda p: rebuild(p, f"sqlite:///{p.folder / 'none' / 'model'}"),
    "CLI-14": lambda p: margin(p, portfolio(OPTION), "--model", "guess"),
    "CLI-15": lambda p: plimsoll("margin", "--model", "derive-pm2"),
    "CLI-16": lambda p: margin(p, portfolio(OPTION), "--set", "guess"),
    "CLI-17": lambda p: calibrate(p, "--confidence", "1"),
    "CLI-18": lambda p: calibrate(p, "--lookback-days", "1"),
    "CLI-19": lambda p: keeper(p.folder, "--first-block", "-1"),
    "CLI-20": lambda p: stress(p, "--event", "1929-10"),
    "CLI-21": lambda p: stress(p, "--policies", "mercy"),
    "CLI-22": lambda p: stress(p, "--accounts", "0"),
    "FILE-1": lambda p: demo(p, p.folder / "none.csv"),
    "FILE-2": lambda p: candles(p, "time,price\n"),
    "FILE-3": lambda p: candles(p, HEAD + "100,1,nan,1,1,5\n"),
    "FILE-4": lambda p: candles(p, HEAD, "candles.csv.gz"),
    "FILE-5": lambda p: candles(p, HEAD + LATER + GOOD),
    "FILE-6": lambda p: demo(p, p.folder),
    "FILE-7": lambda p: keeper(p.folder / "none"),
    "FILE-8": lambda p: keeper(p.file("short", "0x12")),
    "FILE-9": lambda p: keeper(p.file("binary", b"\xff\xfe\x00")),
    "FILE-10": lambda p: keeper(p.file("zero", "0x" + "00" * 32)),
    "FILE-11": lambda p: replay(p.folder / "none"),
    "FILE-12": lambda p: replay(p.folder),
    "FILE-13": replay_open,
    "FILE-14": lambda p: replay(p.file("odd/segment-000000000000.plog", b"x" * 200).parent),
    "FILE-15": lambda p: replay(changed_log(p)),
    "FILE-16": lambda p: replay(
        p.log("odd", genesis(), with_payload(refused_record(), b"surplus"))
    ),
    "FILE-17": lambda p: replay(p.log("refused", genesis(), refused_record())),
    "FILE-18": lambda p: replay(p.log("document", bad_document())),
    "FILE-19": foreign_folder,
    "FILE-20": lambda p: load(p.folder / "none.json"),
    "FILE-21": lambda p: load(p.file("other.json", '{"schema": "other"}')),
    "FILE-22": lambda p: candles(p, HEAD + CHEAP),
    "FILE-23": lambda p: plimsoll("margin", "--input", p.folder / "none.json"),
    "FILE-24": lambda p: margin(p, portfolio(OPTION, money=1)),
    "FILE-25": lambda p: margin(p, '{"model": "derive-pm2", "cash": NaN}'),
    "FILE-26": lambda p: margin(p, portfolio(OPTION)),
    "FILE-27": lambda p: margin(p, portfolio({"kind": "future"})),
    "FILE-28": lambda p: margin(p, "{"),
    "FILE-29": lambda p: history(p, "0,100", "86400,nan", "172800,101"),
    "FILE-30": lambda p: history(p, "0,100", "172800,101", "86400,100"),
    "FILE-31": lambda p: history(p, "0,100", "86400,101", "172800,100"),
    "FILE-32": lambda p: calibrate(p, "--data", p.folder),
    "FILE-33": lambda p: calibrate(p, "--data", p.folder / "none"),
    "FILE-34": lambda p: calibrate(p, "--previous", p.file("set.json", spaced_document())),
    "FILE-35": file_for_a_folder,
    "FILE-36": lambda p: stress(p, "--event", "2021-05", "--data", p.folder),
    "FILE-37": lambda p: stress(p, "--input", p.file("bad.csv", HEAD + LATER + GOOD)),
}


@pytest.mark.parametrize("row", COMMANDS)
def test_every_listed_boundary_error_of_commands_and_files(
    row: str, tmp_path: Path, venue: Devnet, served: Served
) -> None:
    error, code = {**rows("CLI"), **rows("FILE")}[row]
    ran = COMMANDS[row](Place(tmp_path, venue, served.server.url))
    words = re.sub(r"[\s│]+", " ", ran.err)
    assert error in words
    assert ran.code == int(code)
    assert ran.out == ""
    assert "Traceback" not in ran.err
    if code != str(int(Exit.USAGE)):
        assert ran.err.splitlines()[-1].startswith(f"error: {error}: ")


# API


def call(method: str, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def place_order(order: object) -> str:
    plain = {
        k: f"0x{v.hex()}" if isinstance(v, bytes) else v if isinstance(v, bool | str) else str(v)
        for k, v in order_params(order).items()  # type: ignore[arg-type]  # an order
    }
    return call("private/place_order", **plain)


def intent(s: Served, unsigned: Any, name: int = TRADER) -> str:
    """Return the call that sends an intent, signed by its owner or somebody else."""
    signed = s.signed(replace(unsigned, expires_at_ns=at(s, 10**9)), name)
    plain = {k: plain_text(v) for k, v in intent_params(signed).items()}
    return call(METHOD_OF[type(signed)], **plain)


def plain_text(value: object) -> object:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def used_nonce(s: Served) -> str:
    order = s.order(TRADER, 1, 1_000)
    s.place(order)
    return place_order(order)


def changed(s: Served, **fields: object) -> str:
    """Return an order with other fields, signed by its owner."""
    bare = replace(s.order(TRADER, 1, 1_000), **fields)  # type: ignore[arg-type]
    return place_order(s.signed(bare, TRADER))


def short_signature(s: Served) -> str:
    request = json.loads(changed(s))
    request["params"]["signature"] = "0x00"
    return json.dumps(request)


def at(s: Served, ahead_ns: int) -> TimestampNs:
    return TimestampNs(s.desk.now + ahead_ns)


TIME = call("public/get_time")
REQUESTS: dict[str, Callable[[Served], str]] = {
    "API-1": lambda s: "{",
    "API-2": lambda s: '{"jsonrpc":"2.0","jsonrpc":"2.0"}',
    "API-3": lambda s: "[" * 40 + "]" * 40,
    "API-4": lambda s: '{"method":"public/get_time","id":1}',
    "API-5": lambda s: "[]",
    "API-6": lambda s: f"[{','.join([TIME] * 21)}]",
    "API-7": lambda s: '{"jsonrpc":"2.0","method":"public/get_time","id":{}}',
    "API-8": lambda s: call("public/get_rich"),
    "API-9": lambda s: call("public/get_time", zone="UTC"),
    "API-10": lambda s: '{"jsonrpc":"2.0","id":1,"method":"public/get_time","params":[1]}',
    "API-11": lambda s: call("public/get_ticker", instrument=1.5),
    "API-12": lambda s: call("public/get_batches", limit="501"),
    "API-13": short_signature,
    "API-14": lambda s: '{"a":"' + "x" * 70_000 + '"}',
    "API-15": lambda s: call("public/get_ticker", instrument="999"),
    "API-16": lambda s: call("public/get_account", account="999"),
    "API-17": lambda s: changed(s, limit_price_e8=100_000_000_001),
    "API-18": lambda s: changed(s, lots=0),
    "API-19": lambda s: call("keeper/get_witness", batch_no="9", index="0"),
    "API-20": lambda s: place_order(s.order(TRADER, 100_000, 120_000)),
    "API-21": used_nonce,
    "API-22": lambda s: changed(s, expires_at_ns=at(s, -1)),
    "API-23": lambda s: place_order(replace(s.order(TRADER, 1, 1_000), signature=NO_SIGNATURE)),
    "API-24": lambda s: place_order(s.signed(s.order(TRADER, 1, 1_000), MAKER)),
    "API-25": lambda s: changed(s, expires_at_ns=at(s, 100 * DAY_NS)),
    "API-26": lambda s: intent(s, s.desk.set_mode(3, 3)),
    "API-27": lambda s: intent(s, s.desk.set_mode(3, Mode.PORTFOLIO)),
    "API-28": lambda s: intent(s, s.desk.set_mode(3, Mode.CROSS), MAKER),
    "API-29": lambda s: intent(s, s.desk.convert(3, 9, 1)),
    "API-30": lambda s: intent(s, s.desk.convert(3, 1, 1)),
    "API-31": lambda s: call(
        "public/preview_margin", account="3", trades=[{"instrument": "0", "lots": "16777215"}]
    ),
    "API-32": lambda s: call("public/preview_margin", account="3", mode="hedged"),
}


@pytest.mark.parametrize("row", REQUESTS)
def test_every_listed_boundary_error_of_the_api(row: str, served: Served) -> None:
    name, code = rows("API")[row]
    body = REQUESTS[row](served)
    answer = httpx.post(f"{served.server.url}/rpc", content=body.encode(), trust_env=False).json()
    error = answer["error"]
    assert str(error["code"]) == code
    if int(code) in set(Fault):
        assert Fault(int(code)).name == name
    else:
        assert error["data"]["reason"] == name
    assert "Traceback" not in json.dumps(answer)


# Contracts


def test_every_listed_boundary_error_of_the_contracts_has_its_forge_test() -> None:
    found = re.findall(r"^\| (\w+) \| (\w+) \| (\w+)\.(\w+) \|$", PAGE, re.MULTILINE)
    assert len(found) > 80
    for _, error, suite, test in found:
        source = (ROOT / f"tests/contracts/{suite}.t.sol").read_text()
        assert f"function {test}(" in source, f"{suite}.{test}"
        assert f"{error}.selector" in source, f"{error} in {suite}"


def test_every_custom_error_of_the_contracts_is_listed() -> None:
    listed = set(re.findall(r"^\| \w+ \| (\w+) \| \w+\.\w+ \|$", PAGE, re.MULTILINE))
    sources = (path.read_text() for path in (ROOT / "contracts").rglob("*.sol"))
    declared = {e for s in sources for e in re.findall(r"^\s*error (\w+)\(", s, re.MULTILINE)}
    assert declared <= listed


# The page itself


def test_page_and_cases_list_the_same_rows() -> None:
    assert {**rows("CLI"), **rows("FILE")}.keys() == COMMANDS.keys()
    assert rows("API").keys() == REQUESTS.keys()
