"""Margin models of other venues, and our own, priced from one portfolio file.

A model is a value: a frozen set of parameters, and the stated assembly of its terms. One engine
(`scenario_engine`) prices options under scenarios for all of them. `registry.MODELS` lists the
models; docs/MARGIN_FILE.md documents the file.

Floats are allowed here, because published models need continuous discounting, powers and the
normal distribution. Nothing computed here ever reaches a commitment: no module below this package
imports it, and only `offchain.app` does. PM-36, our own model, runs on the integer engine that
the venue itself uses and is only translated here.
"""
