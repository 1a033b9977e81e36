"""One file for each command: what it carries, and `decide`, which turns it into events."""
