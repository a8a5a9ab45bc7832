"""mqadmin: Apache RocketMQ's administration commands."""
