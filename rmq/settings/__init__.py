"""Configuration: the one place where a key, its type, its default and its meaning exist."""
