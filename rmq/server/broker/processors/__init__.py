"""Handlers of the broker's requests, one file per domain."""
