"""Find the places of a source file where one small change is a fault that a test should notice.

Changed are comparisons, arithmetic, rounding directions, minimum and maximum, `and` and `or`,
negations, conditions, truth values, whole numbers, and statements: calls and refusals taken out.

Left out, because no test of behaviour can see them or none should:

* text: docstrings, messages, formatted strings, and what only computes a message under `raise`;
* assertions, and `strict=` of `zip`, which asserts: they state what cannot happen;
* annotations, and blocks for the type checker alone;
* decorators: `cache=True`, `nogil=True`, the size of a cache, `slots=True` change how, not what;
* the figures of the starting parameter set, which are choices and not rules;
* requests for a cache line and sizes of caches: no result depends on them.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

DATA = {"presets.py"}
"""Modules whose whole numbers are figures of a parameter set."""
UNSEEN = {
    "AHEAD",
    "KEPT",
    "LINE_WORDS",
    "_KEPT",
    "_type_prefetch",
    "prefetch",
    "prefetch_account",
}
"""Functions and constants that no result depends on, nor on what is assigned from them."""
COMPARISONS: dict[type[ast.cmpop], tuple[bytes, bytes]] = {
    ast.Lt: (b"<", b"<="),
    ast.LtE: (b"<=", b"<"),
    ast.Gt: (b">", b">="),
    ast.GtE: (b">=", b">"),
    ast.Eq: (b"==", b"!="),
    ast.NotEq: (b"!=", b"=="),
    ast.Is: (b"is", b"is not"),
    ast.IsNot: (b"is not", b"is"),
    ast.In: (b"in", b"not in"),
    ast.NotIn: (b"not in", b"in"),
}
OPERATORS: dict[type[ast.operator], tuple[bytes, bytes]] = {
    ast.Add: (b"+", b"-"),
    ast.Sub: (b"-", b"+"),
    ast.Mult: (b"*", b"+"),
    ast.FloorDiv: (b"//", b"*"),
    ast.Mod: (b"%", b"//"),
    ast.Pow: (b"**", b"*"),
    ast.RShift: (b">>", b"<<"),
    ast.LShift: (b"<<", b">>"),
    ast.BitAnd: (b"&", b"|"),
    ast.BitOr: (b"|", b"&"),
}
NAMES = {
    "floor_div": b"ceil_div",
    "ceil_div": b"floor_div",
    "mul_div_floor": b"mul_div_ceil",
    "mul_div_ceil": b"mul_div_floor",
    "share_floor": b"share_ceil",
    "share_ceil": b"share_floor",
    "min": b"max",
    "max": b"min",
    "minimum": b"maximum",
    "maximum": b"minimum",
    "any": b"all",
    "all": b"any",
    "abs": b"",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one place: bytes `start..stop` of a file are replaced."""

    file: str
    line: int
    start: int
    stop: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """Return the source with the change made."""
        return source[: self.start] + self.after.encode() + source[self.stop :]


class _Finder(ast.NodeVisitor):
    """Collects the mutants of one file."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source = file, source
        self.offsets = [0]
        for line in source.splitlines(keepends=True):
            self.offsets.append(self.offsets[-1] + len(line))
        self.found: list[Mutant] = []
        self.is_data = Path(file).name in DATA

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self.offsets[node.lineno - 1] + node.col_offset

    def _stop(self, node: ast.expr | ast.stmt) -> int:
        return self.offsets[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def _add(self, line: int, start: int, stop: int, after: bytes) -> None:
        before = self.source[start:stop].decode()
        mutant = Mutant(self.file, line, start, stop, before, after.decode())
        try:
            ast.parse(mutant.applied(self.source))
        except SyntaxError:
            return
        self.found.append(mutant)

    def _replace(self, node: ast.expr | ast.stmt, after: bytes) -> None:
        self._add(node.lineno, self._start(node), self._stop(node), after)

    def _between(self, left: ast.expr, right: ast.expr, change: tuple[bytes, bytes]) -> None:
        before, after = change
        place = self.source.find(before, self._stop(left), self._start(right))
        if place >= 0:
            self._add(left.end_lineno or 0, place, place + len(before), after)

    def _negated(self, test: ast.expr) -> None:
        # Negated comparisons are among the mutants of comparisons where they are of equality.
        self._replace(test, b"not (" + self.source[self._start(test) : self._stop(test)] + b")")

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            self._between(left, right, COMPARISONS[type(operator)])
            left = right
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in OPERATORS:
            self._between(node.left, node.right, OPERATORS[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in OPERATORS:
            self._between(node.target, node.value, OPERATORS[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        change = (b"and", b"or") if isinstance(node.op, ast.And) else (b"or", b"and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, change)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        is_figure = self.is_data and isinstance(node.operand, ast.Constant)
        if isinstance(node.op, ast.Not | ast.USub) and not is_figure:
            self._add(node.lineno, self._start(node), self._start(node.operand), b" ")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._negated(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negated(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negated(test)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        if name in NAMES:
            stop = self._stop(function)
            self._add(node.lineno, stop - len(name), stop, NAMES[name])
        self.visit(function)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg != "strict":
                self.visit(keyword.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value).encode())
        elif isinstance(node.value, int) and not self.is_data:
            self._replace(node, str(node.value + 1).encode())

    def visit_Assign(self, node: ast.Assign) -> None:
        if not _is_unseen(node):
            self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        if not _is_unseen(node):
            self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        if not all(_is_unseen(statement) for statement in node.body):
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if _is_unseen(node):
            return
        if isinstance(node.value, ast.Call):
            self._replace(node, b"pass")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, b"pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, b"break")

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, b"continue")

    def visit_Assert(self, node: ast.Assert) -> None:
        """Leave assertions alone."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave formatted strings alone."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *(d for d in node.kw_defaults if d is not None)):
            self.visit(default)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in UNSEEN:
            return
        self.visit(node.args)
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)


def _is_unseen(statement: ast.stmt) -> bool:
    """Tell whether a call, an assignment or a deletion is of what no result depends on."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return getattr(statement.value.func, "id", "") in UNSEEN
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    return isinstance(statement, ast.Assign | ast.Delete) and bool(names & UNSEEN)


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """Return every mutant of one file that can be parsed, in the order of the syntax tree."""
    source = (root / file).read_bytes()
    finder = _Finder(file, source)
    finder.visit(ast.parse(source))
    return finder.found
