"""The numbers of a workspace for Prometheus, and whatever else reads its text format.

taking.py      all measures of a moment
exposition.py  measures as text
serving.py     the same over HTTP, for as long as `up` is up
"""
