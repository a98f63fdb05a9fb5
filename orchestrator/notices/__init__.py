"""Messages about flows: what they say, and the way they go, by apprise.

wording.py   an incident in words; no record and no secret is in them
sending.py   brings one message to one address, or tells why it could not
"""
