"""The campaign finds the places to change, runs what can notice, and never trusts stale kernels."""

from pathlib import Path

import pytest

from scripts.mutants import Mutant, mutants_of
from scripts.mutation import Bench, Sources, Verdict, choose, report, run
from scripts.stale_kernels import Definitions, is_stale

FILE = "offchain/core/rule.py"
PLUGIN = Path(__file__).parents[3] / "scripts" / "mutation_plugin.py"


def changes(root: Path, source: str, file: str = FILE) -> list[str]:
    """Return every changed line of a small source, without what surrounds it."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    made = []
    for mutant in mutants_of(root, file):
        lines = mutant.applied(source.encode()).decode().splitlines()
        made.append(lines[mutant.line - 1].strip())
    return made


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a >= b > c", ["x = a > b > c", "x = a >= b >= c"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a + b", ["x = a - b"]),
        ("x = a // b * c", ["x = a // b + c", "x = a * b * c"]),
        ("x = a << b", ["x = a >> b"]),
        ("x += a", ["x -= a"]),
        ("x = a and b or c", ["x = a and b and c", "x = a or b or c"]),
        ("x = not a", ["x =  a"]),
        ("x = -a", ["x =  a"]),
        ("x = f(a) if a else b", ["x = f(a) if not (a) else b"]),
        ("x = [a for a in b if c]", ["x = [a for a in b if not (c)]"]),
        ("x = True", ["x = False"]),
        ("x = 41", ["x = 42"]),
        ("x = ceil_div(a, b)", ["x = floor_div(a, b)"]),
        ("x = max(a, b)", ["x = min(a, b)"]),
        ("x = np.minimum(a, b)", ["x = np.maximum(a, b)"]),
        ("x = abs(a)", ["x = (a)"]),
        ("check(a)", ["pass"]),
        ("raise Refused(f'{1 + 2}')", ["pass"]),
        ("for x in a:\n    continue", ["break"]),
        ("if a:\n    x = b", ["if not (a):"]),
    ],
)
def test_each_kind_of_fault_is_planted(tmp_path: Path, source: str, expected: list[str]) -> None:
    assert sorted(changes(tmp_path, source)) == sorted(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A text about 1 + 2."""',
        "x = f'{a + 1}'",
        "assert a < b",
        "x = zip(a, b, strict=True)",
        "@njit(cache=True)\ndef f():\n    return a",
        "@dataclass(frozen=True, slots=True)\nclass A:\n    b: int",
        "if TYPE_CHECKING:\n    from a import b",
        "x: Literal[1]",
        "prefetch(a, b + 1)",
        "KEPT = 8",
        "del recent[:-KEPT]",
        "for k in range(a + 1):\n    prefetch_account(b, k * 2)",
    ],
)
def test_what_no_test_of_behaviour_can_see_is_left_alone(tmp_path: Path, source: str) -> None:
    assert changes(tmp_path, source) == []


def test_figures_of_a_parameter_set_are_left_alone_and_its_arithmetic_is_not(
    tmp_path: Path,
) -> None:
    assert changes(tmp_path, "x = (5 * y, -7)", "offchain/core/presets.py") == ["x = (5 + y, -7)"]


RULE = """from offchain.core.unit import half

LIMIT = 10


def cost(lots: int) -> int:
    return min(half(lots), LIMIT)


def unused(lots: int) -> int:
    return lots + 1
"""
UNIT = """from numba import njit


@njit(cache=True)
def half(lots):
    return lots // 2
"""
KERNEL = """from numba import njit

from offchain.core.unit import half


@njit(cache=True)
def quarter(lots):
    return half(half(lots))
"""
TESTS = """from offchain.core.kernel import quarter
from offchain.core.rule import cost


def test_cost_is_half_up_to_the_limit():
    assert [cost(n) for n in (0, 2, 18, 20, 22, 24)] == [0, 1, 9, 10, 10, 10]


def test_a_quarter_is_half_of_a_half():
    assert quarter(8) == 2
"""
OF_THE_ENGINE = "from offchain.engine import machine\n"
OF_A_CHAIN = "from tests.support import node\n"


@pytest.fixture
def tree(tmp_path: Path) -> Sources:
    """Return a small tree with a rule, two kernels in two files, and tests of them."""
    root = tmp_path / "root"
    files = {
        "offchain/__init__.py": "",  # without these an installed package would be found first
        "offchain/core/__init__.py": "",
        "offchain/core/rule.py": RULE,
        "offchain/core/unit.py": UNIT,
        "offchain/core/kernel.py": KERNEL,
        "tests/unit/core/test_rule.py": TESTS,
        "tests/unit/core/test_engine.py": OF_THE_ENGINE,
        "tests/differential/test_chain.py": OF_A_CHAIN,
        "tests/support/node.py": "import web3\n",
        "scripts/mutation_plugin.py": PLUGIN.read_text(),
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--import-mode=importlib']\n",
    }
    for place, text in files.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Sources(root)


def test_only_tests_of_rules_that_need_no_engine_and_no_chain_are_run(tree: Sources) -> None:
    assert tree.suite() == ["tests/unit/core/test_rule.py"]
    assert tree.direct_tests("offchain.core.rule") == ["tests/unit/core/test_rule.py"]
    assert tree.direct_tests("offchain.core.unit") == []


def test_a_sample_is_fixed_by_its_seed(tree: Sources) -> None:
    mutants = tree.mutants()
    every = choose(mutants, 0, 1)
    assert len(every) == len(mutants)
    assert set(every) == set(mutants)
    assert choose(mutants, 3, 1) == every[:3]
    assert choose(mutants, 3, 2) != every[:3]
    assert {m.file for m in tree.mutants("unit")} == {"offchain/core/unit.py"}


def test_a_kernel_is_stale_when_what_it_calls_or_a_constant_in_it_changes() -> None:
    made = Definitions(
        {
            "a/base.py": b"SIZE = 2\nOTHER = 3\n\ndef low(x):\n    return x * SIZE\n",
            "a/user.py": b"from a.base import low as l\n\ndef high(x):\n    return l(x)\n",
            "a/free.py": b"from a.base import OTHER\n\ndef lone(x):\n    return x\n",
            "a/whole.py": b"import a.base\n\ndef any_of_it(x):\n    return a.base.low(x)\n",
        }
    )
    by_size = made.resting_on(made.changed_at("a/base.py", 1))
    assert is_stale("base.low-4.py311.nbi", by_size)
    assert is_stale("user.high-3.py311.1.nbc", by_size)
    assert is_stale("whole.any_of_it-3.py311.nbi", by_size)
    assert not is_stale("free.lone-3.py311.nbi", by_size)
    by_body = made.resting_on(made.changed_at("a/base.py", 5))
    assert is_stale("user.high.locals.inner-9.py311.nbi", by_body)
    assert ("a.base", "OTHER") not in by_body


def test_a_campaign_tells_survivors_from_what_a_test_noticed(tree: Sources, tmp_path: Path) -> None:
    bench = Bench(tree, tmp_path / "bench")
    chosen = [m for m in tree.mutants("rule") if m.before in {"+", "min"}]
    found = {v.mutant.before: v.noticed_by for v in run([bench], chosen)}
    # `unused` has no test; the limit decides for 22 lots and more, and less for fewer.
    assert found == {
        "+": None,
        "min": "FAILED tests/unit/core/test_rule.py::test_cost_is_half_up_to_the_limit",
    }
    assert (bench.place / "tree" / FILE).read_text() == RULE


def test_a_compiled_caller_in_another_file_notices_its_callee(
    tree: Sources, tmp_path: Path
) -> None:
    of_the_kernel = TESTS.replace("from offchain.core.rule import cost", "cost = [].index")
    of_the_kernel = of_the_kernel.replace("[cost(n) for", "[n // 2 if n < 20 else 10 for")
    (tree.root / "tests/unit/core/test_rule.py").write_text(of_the_kernel)
    bench = Bench(Sources(tree.root), tmp_path / "bench")
    bench.prepare()
    callee = [m for m in bench.sources.mutants("unit") if m.before == "2"]
    verdict = bench.judge(callee[0])
    assert verdict.noticed_by == (
        "FAILED tests/unit/core/test_rule.py::test_a_quarter_is_half_of_a_half"
    )


def test_an_unchanged_tree_that_fails_is_not_measured(tree: Sources, tmp_path: Path) -> None:
    (tree.root / "tests/unit/core/test_rule.py").write_text("def test_x():\n    assert False\n")
    bench = Bench(Sources(tree.root), tmp_path / "bench")
    with pytest.raises(SystemExit, match="the unchanged tree fails"):
        bench.prepare()


def test_a_report_counts_by_file() -> None:
    mutants = [Mutant("a.py", k, 0, 1, "<", "<=") for k in range(3)]
    mutants.append(Mutant("b.py", 9, 0, 1, "+", "-"))
    verdicts = [Verdict(m, None if m.line == 1 else "FAILED test") for m in mutants]
    found = report(verdicts, 7)
    assert (found["mutants"], found["killed"], found["score"]) == (4, 3, 0.75)
    assert found["files"] == {"a.py": [2, 3], "b.py": [1, 1]}
    assert found["survivors"] == [
        {"file": "a.py", "line": 1, "start": 0, "stop": 1, "before": "<", "after": "<="}
    ]
