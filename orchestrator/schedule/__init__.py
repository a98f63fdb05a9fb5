"""What keeps the schedules of a workspace: starts the runs that are due, as processes of their own, and watches them.

loop.py      `up`: looks, starts, waits
children.py  a run as a child process
"""
