"""The rule book: pure functions on frozen values and integer arrays."""
