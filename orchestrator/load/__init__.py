"""Which rows travel together and when they settle. Pure: the destination does what is decided here."""
