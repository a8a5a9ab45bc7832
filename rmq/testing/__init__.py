"""A running RocketMQ for tests: `rmq.testing.server.RocketMQ` in this process, `rmq.testing.cluster.RocketMQCluster` as
several, and pytest fixtures for both in `rmq.testing.plugin`.
"""
