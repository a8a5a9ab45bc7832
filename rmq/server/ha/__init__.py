"""Replication: the commit log of a master, on its slaves."""
