"""``plimsoll margin``: price a portfolio file under a model, line by line."""

import json
import re
from pathlib import Path
from typing import Any, NoReturn

from offchain.models.errors import MarginFileError, UnknownModelError
from offchain.models.option_calculator import option_lines
from offchain.models.overrides import plain_parameters
from offchain.models.portfolio import resolve
from offchain.models.registry import MODELS, Priced, price
from offchain.models.results import check_finite, overflow_refused
from offchain.models.schema import PortfolioFile, read_portfolio

MAX_BYTES = 8 << 20
MAX_DEPTH = 16
CALCULATORS = ("black76", "bsm")
_NOT_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[^\[\]{}]', re.DOTALL)


def read_file(path: Path) -> PortfolioFile:
    """Return a portfolio file, strictly read.

    Raises
    ------
    MarginFileError
        Too large, too deep, no JSON, a repeated key, NaN or infinity, or a broken rule of the
        schema; the message begins with the path inside the file.
    OSError
        The file cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise MarginFileError("file", f"is larger than {MAX_BYTES} bytes")
    if _depth(data) > MAX_DEPTH:
        raise MarginFileError("file", f"is nested deeper than {MAX_DEPTH}")
    try:
        document = json.loads(
            data.decode("utf-8-sig"), parse_constant=_refuse, object_pairs_hook=_unique
        )
    except MarginFileError:
        raise
    except UnicodeDecodeError:
        raise MarginFileError("file", "is not UTF-8") from None
    except json.JSONDecodeError as fault:
        raise MarginFileError("file", f"is not JSON: {fault}") from None
    except ValueError:  # a number with more digits than Python converts
        raise MarginFileError("file", "holds a number with too many digits") from None
    return read_portfolio(document)


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for byte in _NOT_BRACKETS.sub(b"", data):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse(name: str) -> NoReturn:
    raise MarginFileError("file", f"{name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MarginFileError(key, "is repeated")
        found[key] = value
    return found


def run_margin(path: Path, model: str | None, parameter_set: str | None) -> dict[str, Any]:
    """Return the whole answer as JSON values.

    Raises
    ------
    ModelError
        See `read_file` and `offchain.models.registry.price`.
    """
    return answer_of(read_file(path), model, parameter_set)


def answer_of(file: PortfolioFile, model: str | None, parameter_set: str | None) -> dict[str, Any]:
    """Return the answer to a file that is already read.

    Raises
    ------
    ModelError
        See `offchain.models.registry.price`.
    """
    name = model or file.model
    if name is None:
        raise UnknownModelError("model: neither --model nor the file names one")
    if model is None and name not in MODELS:
        raise MarginFileError("model", f"{name!r} is none of {', '.join(MODELS)}")
    priced = price(file, name, parameter_set)
    answer = {
        "model": priced.model.name,
        "title": priced.model.title,
        "source": priced.model.source,
        "parameter_set": priced.parameter_set,
        **priced.result.to_json(),
        "options": _options(file, priced),
        "parameters": priced.plain_parameters(),
    }
    check_finite(answer, "result")
    return answer


def _options(file: PortfolioFile, priced: Priced) -> list[dict[str, Any]]:
    """Return prices and Greeks of the options on their forwards; none where arrays are given."""
    if priced.model.name in CALCULATORS:
        return list(priced.result.detail["options"])
    if any(position.risk_array is not None for position in file.positions):
        return []
    with overflow_refused():
        return option_lines(resolve(file))


def list_models() -> list[dict[str, Any]]:
    """Return every model with its source and parameter sets, each number of them."""
    return [
        {
            "name": m.name,
            "title": m.title,
            "source": m.source,
            "parameter_sets": list(m.sets),
            "default_set": m.default_set,
            "charges": sorted(m.charges),
            "underlyings_may_override": m.takes_market_parameters,
            "parameters": {
                name: None if base is None else plain_parameters(m.kind, base)
                for name, base in m.sets.items()
            },
        }
        for m in MODELS.values()
    ]


FIGURES = (
    "initial_margin",
    "maintenance_margin",
    "net_initial",
    "net_maintenance",
    "mark_to_market",
    "equity",
)
WORST_SHOWN = 10


def as_table(answer: dict[str, Any]) -> list[str]:
    """Return the answer as lines of text: results, terms, the worst scenarios, options."""
    unit = answer["unit"]
    return [
        f"{answer['title']}  ({answer['model']}, set {answer['parameter_set']})",
        "",
        *(
            _row(key.replace("_", " "), answer[key], unit)
            for key in FIGURES
            if answer[key] is not None
        ),
        f"{'decided by':<40}{answer['worst']:>24}",
        "",
        *(_row(line["name"], line["amount"], line["note"]) for line in answer["lines"]),
        *_scenario_table(answer["scenarios"]),
        *_option_table(answer["options"]),
    ]


def _row(name: str, amount: float, note: str) -> str:
    return f"{name:<40}{amount:>24,.9f}  {note}".rstrip()


def _scenario_table(scenarios: list[dict[str, Any]]) -> list[str]:
    if not scenarios:
        return []
    worst = sorted(scenarios, key=lambda s: float(s["pnl"]))[:WORST_SHOWN]
    head = f"{'worst scenarios':<40}{'pnl':>24}  weight"
    return ["", head, *(_row(s["name"], s["pnl"], f"{s['weight']:g}") for s in worst)]


def _option_table(options: list[dict[str, Any]]) -> list[str]:
    if not options:
        return []
    head = f"{'option':<40}{'price':>18}{'delta':>12}{'vega/point':>16}{'theta/day':>16}"
    rows = [
        f"{_label(o):<40}{o['price']:>18,.6f}{o['delta']:>12.6f}"
        f"{o['vega_per_point']:>16,.6f}{o['theta_per_day']:>16,.6f}"
        for o in options
    ]
    return ["", head, *rows]


def _label(option: dict[str, Any]) -> str:
    kind = option["kind"]
    return f"{option['underlying']} {option['expiry']} {option['strike']:g} {kind}"[:39]
