"""Answers from real servers."""
