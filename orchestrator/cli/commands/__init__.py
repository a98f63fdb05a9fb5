"""One command, or group of commands, per file, named as it is typed. Each is imported when it is called."""
