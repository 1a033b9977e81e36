"""Which compiled kernels a change of the sources makes stale.

Numba compiles a cached kernel again when its own file changes, but not when something does that was
compiled into it: a kernel that it calls, or a constant. So every definition at the top of a module
is followed through all names that it mentions, within the module and through imports. That finds
too many rather than too few: a local name counts as the global one of the same spelling.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

Definition = tuple[str, str]
"""(module, name at its top)."""


def dotted(file: str) -> str:
    """Return the module name of a source file."""
    return ".".join(Path(file).with_suffix("").parts)


def _mentioned(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value, or may change the value of."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return set().union(*(_mentioned(target) for target in targets))
    return _mentioned(statement)


def _imports(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield (name here, definition there) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], (alias.name, "*")


class Definitions:
    """What every definition of a tree rests on."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self.trees = {dotted(file): ast.parse(source) for file, source in sources.items()}

    @cached_property
    def _users(self) -> dict[Definition, set[Definition]]:
        """For each definition, those that mention it."""
        users: dict[Definition, set[Definition]] = {}
        for module, tree in self.trees.items():
            imported = dict(_imports(tree))
            for name, (other, there) in imported.items():
                users.setdefault((other, there), set()).add((module, name))
                # `from package import module` gives a module, all of which may be used.
                users.setdefault((f"{other}.{there}", "*"), set()).add((module, name))
            for statement in tree.body:
                for name in _bound(statement):
                    users.setdefault((module, name), set()).add((module, "*"))
                    for used in _mentioned(statement) - {name}:
                        users.setdefault((module, used), set()).add((module, name))
        return users

    def changed_at(self, file: str, line: int) -> set[Definition]:
        """Return the definitions of the statement on a line; all of the module if it has none."""
        module = dotted(file)
        body = self.trees[module].body
        for statement in body:
            first = min([statement.lineno, *(d.lineno for d in _decorators(statement))])
            if first <= line <= (statement.end_lineno or 0) and _bound(statement):
                return {(module, name) for name in _bound(statement)}
        return {(module, name) for statement in body for name in _bound(statement)}

    def resting_on(self, changed: set[Definition]) -> set[Definition]:
        """Return the definitions that rest on some, at any distance, and themselves."""
        found, waiting = set(changed), list(changed)
        while waiting:
            new = self._users.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found


def _decorators(statement: ast.stmt) -> list[ast.expr]:
    return list(getattr(statement, "decorator_list", []))


def is_stale(cached: str, stale: set[Definition]) -> bool:
    """Tell whether a file of numba's cache, `module.kernel-line.version`, is of a definition.

    A kernel within a function has the name of the function first. Only the last part of a module's
    name is in the file's: modules of one name share the fate.
    """
    module, _, rest = cached.partition(".")
    name = rest.partition("-")[0].partition(".")[0]
    return any(other.rpartition(".")[2] == module and name == one for other, one in stale)
