"""Connections that carry remoting commands: the only place with sockets."""
