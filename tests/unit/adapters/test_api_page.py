"""The page of the protocol names every method, channel and code, and none that does not exist."""

import re
from enum import IntEnum
from pathlib import Path

from offchain.adapters import intent_methods, margin_methods  # noqa: F401 - they register methods
from offchain.adapters.guard import ApiLimits
from offchain.adapters.methods import METHODS
from offchain.adapters.params import MAX_LIMIT
from offchain.adapters.rpc import MAX_CALLS, Fault
from offchain.adapters.stream import EVERY
from offchain.engine.reasons import Reason
from offchain.services.gateway import GatewayTerms, IntentReason

PAGE = (Path(__file__).parents[3] / "docs" / "API.md").read_text()


def test_every_method_is_on_the_page_and_every_method_on_the_page_exists() -> None:
    named = set(re.findall(r"`((?:public|private|keeper)/\w+)`", PAGE))
    assert named == {m.name for m in METHODS}


def test_every_code_is_on_the_page_with_its_name() -> None:
    shown = {int(c): n for c, n in re.findall(r"^\| (-?\d{5}) \| (\w+) \|", PAGE, re.MULTILINE)}
    kinds: tuple[type[IntEnum], ...] = (Fault, Reason, IntentReason)
    codes = [(int(code), code.name) for kind in kinds for code in kind]
    assert len({number for number, _ in codes}) == len(codes)
    assert shown == dict(codes)


def test_every_channel_is_on_the_page() -> None:
    section = PAGE.split("\n## Streams\n")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| `([\w.{}]+)` \|", section, re.MULTILINE))
    assert named == {"margin.watch", "account.{id}.risk", *EVERY}


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    limits, terms = ApiLimits(), GatewayTerms()
    for text in (
        f"{limits.body_bytes // 1024} KiB",
        f"{MAX_CALLS} calls in one request",
        f"{limits.rate:.0f} requests a second",
        f"bursts of {limits.burst:.0f}",
        f"{limits.connections} requests and sockets",
        f"{limits.subscriptions} channels a socket",
        f"more than {limits.pending:,} messages",
        f"(at most {MAX_LIMIT})",
        f"{terms.order_window_ns // (86_400 * 10**9)} days for an order",
        f"{terms.action_window_ns // (60 * 10**9)} minutes for a cancellation",
    ):
        assert text in PAGE, text
