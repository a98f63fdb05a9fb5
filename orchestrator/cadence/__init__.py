"""When flows are due, which of the times that were missed are caught up, and when to try again. Pure: told the time."""
