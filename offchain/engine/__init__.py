"""The deterministic machine: matching, margining, liquidating.

``decide(state, command) -> events | Rejected`` and ``evolve(state, event)``. Commands carry
everything that comes from outside, time included; replaying them gives the same state.
"""
