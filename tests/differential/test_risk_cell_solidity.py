"""The contract's risk cells are those of Python, on every bit: losses, values, deltas, vegas."""

import random
from collections.abc import Iterator

import pytest

from offchain.adapters.compiler import ROOT
from offchain.core.units import SCENARIOS
from offchain.ledger.keccak import keccak256
from tests.support.random_markets import random_question
from tests.support.risk_cells import OTHERS, Deployed, Question, deployed, table_bytes

SEED = 19_760
BATCH = 50


@pytest.fixture(scope="module")
def chain() -> Iterator[Deployed]:
    with deployed() as made:
        yield made


def questions_of(seed: int, count: int, scenarios: int) -> list[Question]:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    return [random_question(rng, scenarios) for _ in range(count)]


def compare(chain: Deployed, questions: list[Question]) -> int:
    """Compare question by question, many a call; return the number of losses."""
    for first in range(0, len(questions), BATCH):
        asked = questions[first : first + BATCH]
        given = iter(chain.answers_to(asked))
        for place, question in enumerate(asked, first):
            expected = question.answers()
            found = [next(given) for _ in expected]
            assert found == expected, f"question {place}: {question}"
        assert next(given, None) is None
    return sum(question.losses for question in questions)


def test_ten_thousand_random_cells_are_those_of_python_on_every_bit(chain: Deployed) -> None:
    """Seeded; about one in ten is linear, the others are options of both kinds."""
    assert compare(chain, questions_of(SEED, 500, 6)) >= 10_000


def test_every_scenario_of_whole_rows_is_that_of_python_on_every_bit(chain: Deployed) -> None:
    questions = questions_of(SEED + 1, 12, SCENARIOS)
    assert all(sorted(q.scenarios) == list(range(SCENARIOS)) for q in questions)
    assert compare(chain, questions) >= 12 * 2 * SCENARIOS


@pytest.mark.deep
def test_a_hundred_thousand_random_cells_are_those_of_python(chain: Deployed) -> None:
    assert compare(chain, questions_of(SEED + 2, 5_000, 6)) >= 100_000


def test_the_contract_names_the_hash_of_the_table_that_python_computes() -> None:
    """A STOP, then the coefficients; `NormalTable` and `RiskCells` refuse anything else."""
    code = b"\x00" + table_bytes()
    assert len(code) == 20_481
    named = (ROOT / "contracts/libraries/Normal.sol").read_text()
    assert f"0x{keccak256(code).hex()};" in named


def test_most_random_cells_lose_or_gain_something() -> None:
    width = 6 + len(OTHERS)
    losses = [
        number
        for question in questions_of(SEED, 50, 6)
        for place, number in enumerate(question.answers())
        if place % width < 6
    ]
    assert sum(loss != 0 for loss in losses) * 2 > len(losses)


def test_one_question_has_a_loss_for_each_scenario_and_four_more_numbers() -> None:
    (question,) = questions_of(SEED, 1, 5)
    assert len(question.answers()) == len(question.instruments) * (5 + len(OTHERS))
