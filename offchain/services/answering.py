"""Answers to demands, several under way at once.

Whoever is left unanswered is paid from the stake, and a demand that its own author answers first
costs him nothing. So one answer in each block would not do: a flood of demands must not outlast the
time to answer them.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from offchain.services.errors import ChainUnreachable, OffchainError

AT_ONCE = 16
"""Transactions under way: as many as a node keeps of one sender in any case."""
MOST_A_STEP = 512
"""Answers of one step: then whatever else a node has to do has its turn."""

Demand = TypeVar("Demand")
Send = Callable[[], bool]
"""Sends one answer; False when somebody was quicker."""


def answer_each(
    demands: Iterable[Demand], prepare: Callable[[Demand], Send | None], at_once: int = AT_ONCE
) -> tuple[list[Demand], OffchainError | None]:
    """Answer demands in their order; return those that were shown, and the first fault.

    A demand that cannot be answered holds up no other one.

    Parameters
    ----------
    prepare : callable
        Makes what sends an answer, one after another; None passes the demand over. What it makes
        runs in a thread of its own.
    at_once : int
        Answers under way.
    """
    sent: list[tuple[Demand, Future[bool]]] = []
    shown: list[Demand] = []
    faults: list[OffchainError] = []
    is_gone = threading.Event()
    with ThreadPoolExecutor(at_once, thread_name_prefix="answer") as pool:
        for demand in demands:
            if len(sent) == MOST_A_STEP or is_gone.is_set():
                break
            try:
                send = prepare(demand)
            except OffchainError as fault:
                faults.append(fault)
                continue
            if send is not None:
                sent.append((demand, pool.submit(_unless_gone, send, is_gone)))
    for demand, sending in sent:
        try:
            if sending.result():
                shown.append(demand)
        except OffchainError as fault:
            faults.append(fault)
    return shown, faults[0] if faults else None


def _unless_gone(send: Send, is_gone: threading.Event) -> bool:
    """Send, unless the chain is away: then every answer would wait as long as the first."""
    if is_gone.is_set():
        return False
    try:
        return send()
    except ChainUnreachable:
        is_gone.set()
        raise
