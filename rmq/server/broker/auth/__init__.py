"""Users and the rules for them. They are kept and checked for form; nothing is refused because of them yet."""
