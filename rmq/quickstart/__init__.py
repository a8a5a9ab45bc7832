"""The programs with which RocketMQ's guides begin: one sends a thousand messages, the other prints them."""
