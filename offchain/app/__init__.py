"""Entry points, settings and wiring: the only layer that sees every other."""
