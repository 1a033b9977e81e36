"""Calibration: from price history to a proposed parameter set.

This package works in floating point and says so: nothing in it is committed, only the integers
that it proposes are, after people have adopted them. Those integers do not depend on the last bits
of a mathematics library: the way to each of them uses only sums by `math.fsum` (exact, so in any
order), the four operations and square roots (correctly rounded by IEEE 754) and order statistics,
and each is rounded in the cautious direction to a coarse grid. Logarithms serve for display and
for the powers of the volatility shock alone, which are rounded to hundredths.

It may import `core`, `pricing` and `ledger`; only `app` imports it.
"""
