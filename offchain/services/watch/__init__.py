"""Watching: a stranger replays what a sequencer committed, and shows the judges what is wrong."""
