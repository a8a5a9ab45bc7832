"""JSON bodies of requests and replies, one file per domain."""
