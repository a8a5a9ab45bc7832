"""The subcommands, a file for each of Apache's groups."""
