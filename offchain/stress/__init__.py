"""The stress lab: real crashes on thousands of accounts, under several liquidation policies.

Prices, populations and the depth of the book are models in floating point with stated seeds. What
is margined, liquidated, deleveraged or lost is counted in the integers of the rule book, and
conserved to the unit at every step.
"""
