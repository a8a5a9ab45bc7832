"""Transactional messages: half messages, their ends, and the questions that the broker asks producers about them."""
