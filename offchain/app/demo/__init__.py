"""The demo: a venue on a local chain through the crash of 10 October 2025, and its audit."""
