"""Write tests/conformance/vectors/derive.json from the slow second implementation.

Portfolios are random with fixed seeds; numbers are ours, computed with 30 digits from the formulas
in the reference notes, and no case of anybody else is copied.
"""

import argparse
import json
import sys
from pathlib import Path

from mpmath import mp

from offchain.models.registry import MODELS, price
from offchain.models.schema import read_portfolio
from tests.support.random_portfolios import random_portfolio
from tests.support.slow_derive import slow_pm1, slow_pm2, slow_srm

TARGET = Path(__file__).parents[1] / "tests" / "conformance" / "vectors" / "derive.json"
TWINS = {"derive-pm2": slow_pm2, "derive-pm1": slow_pm1, "derive-srm": slow_srm}
FIRST_SEED = 1_000
CASES_EACH = 4


def content() -> str:
    """Return what the file must say."""
    cases = []
    for model, twin in TWINS.items():
        for place in range(CASES_EACH):
            name = list(MODELS[model].sets)[place % len(MODELS[model].sets)]
            file = random_portfolio(FIRST_SEED + place)
            parameters = price(read_portfolio(file), model, name).plain_parameters()
            found = twin(file, parameters)
            cases.append(
                {
                    "name": f"{model} {name} {place}",
                    "model": model,
                    "parameter_set": name,
                    "file": file,
                    "im": mp.nstr(found["im"], 20),
                    "mm": mp.nstr(found["mm"], 20),
                    "scenario_pnl": [mp.nstr(x, 20) for x in found.get("profits", [])],
                }
            )
    rows = ",\n".join(json.dumps(case) for case in cases)
    return '{"schema": "plimsoll.derive-vectors/1", "cases": [\n' + rows + "\n]}\n"


def main() -> int:
    """Write the file, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="fail if the file would change")
    if parser.parse_args().check:
        return int(TARGET.read_text() != content())
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(content())
    return 0


if __name__ == "__main__":
    sys.exit(main())
