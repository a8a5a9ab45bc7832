"""The cluster as screens see it: what may be asked, and who answers. Nothing here knows Textual."""
