"""Where a tap runs: its command, its process, what it prints on either side, and how it is stopped."""
