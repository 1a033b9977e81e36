"""Hostile files: a mutation of an example, under any model, ends in an answer or a typed error."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.app.margin_command import answer_of, as_table
from offchain.models.errors import ModelError
from offchain.models.registry import MODELS
from offchain.models.schema import read_portfolio

EXAMPLES = sorted((Path(__file__).parents[2] / "data" / "portfolios").glob("*.json"))
WEIRD: tuple[object, ...] = (
    0,
    -1,
    1e15,
    -1e15,
    1e-15,
    1e-300,
    1e16,
    "0",
    "1e15",
    "",
    "x",
    None,
    True,
    [],
    {},
    [0] * 16,
    [1e15] * 16,
    float("nan"),
    float("inf"),
    10**30,
    "2262-04-11T23:47:16Z",
    1e11,
    0.5,
)
ROUNDS = 8


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in a document."""
    if path:
        yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from leaves(inner, (*path, key))


def mutated(document: Any, dice: random.Random) -> Any:
    changed = copy.deepcopy(document)
    for _ in range(dice.choice([1, 1, 2, 3])):
        paths = list(leaves(changed))
        *steps, last = dice.choice(paths)
        place = changed
        for step in steps:
            place = place[step]
        if dice.random() < 0.1:
            del place[last]
        else:
            place[last] = copy.deepcopy(dice.choice(WEIRD))
        if not changed:
            break
    return changed


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])
def test_a_mutated_file_ends_in_an_answer_or_a_typed_error(path: Path, name: str) -> None:
    dice = random.Random(f"{path.stem} {name}")  # noqa: S311  no secret
    document = json.loads(path.read_text())
    document.pop("parameter_set", None)
    if document["model"] != name:
        document.pop("parameters", None)
        document.pop("charges", None)
    for _ in range(ROUNDS):
        file = mutated(document, dice)
        try:
            found = answer_of(read_portfolio(file), name, None)
        except ModelError:
            continue
        assert as_table(found)
        json.dumps(found, allow_nan=False)
