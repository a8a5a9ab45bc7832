"""Parts of the cluster in memory, one a subject."""
