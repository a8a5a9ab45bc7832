"""The language in which messages are asked for: its words, what a line of them means, and which messages are meant."""

from rmq.tui.service.query.language import EXAMPLES, Query, QueryError, QueueRange, parse_query

__all__ = ["EXAMPLES", "Query", "QueryError", "QueueRange", "parse_query"]
