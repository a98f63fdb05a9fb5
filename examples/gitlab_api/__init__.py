"""A GitLab to try things on: its REST API over invented data, on a loopback port, with the standard library alone.

    with GitLab(token="glpat-demo") as gitlab:      # or: python -m examples.gitlab_api --token glpat-demo
        ...                                         # a tap reads gitlab.api_url
        gitlab.touch_issues(42)                     # the source changes while it is being read
        gitlab.served()                             # what was asked for, by endpoint

| file | is |
|---|---|
| `words.py` | the vocabulary that the data is composed from |
| `content.py` | what this GitLab holds, the same on every start; and how it changes |
| `api.py` | from a request to an answer: token, routes, pages; no sockets |
| `server.py` | the answers on a port |
"""

from examples.gitlab_api.api import Served
from examples.gitlab_api.server import GitLab

__all__ = ["GitLab", "Served"]
