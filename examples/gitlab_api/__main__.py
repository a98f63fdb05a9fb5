"""Serves until SIGTERM or SIGINT. The first line on stdout is the base URL; the API is under it at /api/v4."""

import argparse
import signal

from examples.gitlab_api import GitLab

STOPS = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.gitlab_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--token", required=True, help="what a tap must give as its private token")
    asked = parser.parse_args()

    # Blocked before the serving threads exist, so that a stop can only arrive at sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    with GitLab(asked.token, asked.port) as gitlab:
        print(gitlab.url, flush=True)
        signal.sigwait(STOPS)


if __name__ == "__main__":
    main()
