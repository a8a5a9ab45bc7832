"""The file store: commit log, consume queues, index and checkpoint, as Apache RocketMQ lays them out on disk."""
