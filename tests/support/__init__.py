"""Shared by the tests: a small venue to trade on."""
