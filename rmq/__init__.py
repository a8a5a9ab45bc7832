"""RocketMQ in Python: the same bytes on the wire and on the disk as Apache RocketMQ."""

__version__ = "0.1.0"
