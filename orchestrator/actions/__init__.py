"""The verbs, one file each: what a person or the clock asks for, told from top to bottom as a story."""
