"""Handlers of the name server's requests, one file per domain."""
