"""The batched exchange core: book, account rows and the 36-scenario check in preallocated arrays.

`exchange.HotExchange` owns the tables and takes batches of commands; `kernel.run` is the loop;
`reference.ReferenceExchange` is the slow readable twin that defines both; `translate` turns the
event array into the machine's events. Expiry of orders, nonces, signatures, staleness of prices and
the account book of collateral belong to the front end: a command that reaches this room has already
passed them, and an order that expires is cancelled by a command.
"""
