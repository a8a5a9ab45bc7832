"""What previews changes and carries them out, a subject a file; `registry` knows them by type."""
