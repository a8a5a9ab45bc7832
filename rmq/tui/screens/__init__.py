"""The numbered screens and the dialogs over them."""
