"""Published margin numbers: the cases of tests/conformance/published.json and how they are read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.app.margin_command import answer_of
from offchain.models.schema import read_portfolio

PUBLISHED = Path(__file__).parents[1] / "conformance" / "published.json"


@dataclass(frozen=True)
class Check:
    """One published number: where it stands in the answer, and how many digits are published."""

    at: str
    value: float | str
    tolerance: float | None


@dataclass(frozen=True)
class Case:
    """One published example, with the file that says it in our schema."""

    name: str
    source: str
    model: str
    parameter_set: str | None
    file: dict[str, Any]
    checks: tuple[Check, ...]


def published_cases() -> list[Case]:
    return cases_in(json.loads(PUBLISHED.read_text()))


def cases_in(document: Any) -> list[Case]:
    """Return the cases of a document of the schema ``plimsoll.published/1``."""
    assert document["schema"] == "plimsoll.published/1", "another schema"
    return [
        Case(
            c["name"],
            c["source"],
            c["model"],
            c.get("set"),
            c["file"],
            tuple(Check(x["at"], x["value"], x["tolerance"]) for x in c["checks"]),
        )
        for c in document["cases"]
    ]


def answer(case: Case) -> dict[str, Any]:
    """Return what `plimsoll margin --json` prints for a case."""
    return answer_of(read_portfolio(case.file), case.model, case.parameter_set)


def read_at(found: dict[str, Any], at: str) -> Any:
    """Return a number of an answer: a key, a line or scenario by name, an option by place.

    Raises
    ------
    LookupError
        The answer has nothing there.
    """
    head, _, rest = at.partition(".")
    try:
        if head == "lines":
            return _named(found["lines"], rest)["amount"]
        if head == "scenarios":
            name, _, key = rest.rpartition(".")
            return _named(found["scenarios"], name)[key]
        if head == "options":
            place, _, key = rest.partition(".")
            return found["options"][int(place)][key]
        value: Any = found
        for step in at.split("."):
            value = value[step]
    except (LookupError, ValueError, TypeError):
        raise LookupError(f"the answer has no {at}") from None
    return value


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    by_name: dict[str, dict[str, Any]] = {item["name"]: item for item in reversed(items)}
    return by_name[name]


def miss(case: Case, found: dict[str, Any], check: Check) -> str | None:
    """Return what is wrong with one number; None when it is as published."""
    value = read_at(found, check.at)
    if check.tolerance is None:
        same = value == check.value
    else:
        same = abs(value - float(check.value)) <= check.tolerance
    return None if same else f"{case.name}: {check.at} is {value!r}, published {check.value!r}"
