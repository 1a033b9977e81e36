"""Plimsoll, off chain."""
