"""What the application remembers: newest answers with their age, what figures have been, the session."""
