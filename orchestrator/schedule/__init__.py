"""What keeps the schedules of a workspace: starts the runs that are due, as processes of their own, and watches them.

loop.py       `up`: looks, starts, waits
seats.py      a flow as it is known there
children.py   a run as a child process
settling.py   a run that ended
messenger.py  has it told what becomes of flows
answering.py  the socket at which it is asked
asking.py     what can be asked there
ending.py     `down`
service.py    `up --install`: with systemd.py or launchd.py
"""
