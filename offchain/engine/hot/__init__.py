"""The batched exchange core: book, account rows and the whole margin check in preallocated arrays.

`exchange.HotExchange` owns the tables and takes batches of commands; `kernel.run` is the loop;
`reference.ReferenceExchange` is the slow readable twin that defines both; `bridge` loads a state
of the machine and turns the event array into the machine's events. An order is checked as the
machine checks it: portfolio margin with every resting order at its worst, and the outcome of its
fills (`margin`, `foresight`), by bounds where they decide (`requirement`).

Expiry of orders, nonces, signatures, staleness of prices and the account book of collateral belong
to the front end: a command that reaches this room has already passed them, and an order that
expires is cancelled by a command. So do isolated and cross accounts and expected shortfall: a state
that has them is refused. An order that is amended to fewer lots at its price keeps its place; the
machine has no event for that, so a front end that keeps the machine's log sends a cancel and a new
order instead.
"""
