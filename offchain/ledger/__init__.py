"""Canonical bytes: encodings, trees, hashes, signatures and the journal.

Mirrors `contracts/libraries` name for name; `docs/COMMITMENTS.md` is the authority, and the golden
vectors in `tests/vectors` hold both to it.
"""
