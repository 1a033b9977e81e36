"""The ports made real: files, database, chain, HTTP and WebSocket."""
