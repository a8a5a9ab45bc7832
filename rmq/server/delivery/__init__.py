"""Messages on their way to a consumer: what waits, and for what."""
