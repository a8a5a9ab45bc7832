"""The application by its concerns: command line and palette, contexts, changes, and the keys and whose they are."""
