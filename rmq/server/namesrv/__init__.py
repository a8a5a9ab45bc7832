"""The name server: which brokers there are and which queues of which topics they hold."""
