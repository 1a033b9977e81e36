"""Evidence for each judge on chain: everything that it could be asked about one record or batch."""
