"""Client of RocketMQ."""
