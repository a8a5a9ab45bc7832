"""What the user has set down, and where: contexts, the keymap, files of the user's own."""
