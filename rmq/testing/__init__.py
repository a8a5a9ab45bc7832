"""A running RocketMQ for tests: `rmq.testing.server.RocketMQ`, and pytest fixtures in `rmq.testing.plugin`."""
