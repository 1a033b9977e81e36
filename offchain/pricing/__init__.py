"""Prices and risk arrays in integers: what reaches a commitment never passes through a float.

Every rule is defined by a function on unbounded Python integers that a contract can repeat with
256-bit words; kernels on 64-bit words equal it bit for bit.
"""
