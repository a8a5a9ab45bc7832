"""What a slave does besides replicating the log: it keeps its tables equal to the master's, and stands in for it."""
