"""A tap that is a folder with a project. `backend.py` is put beside it before it is built."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config")
    parser.add_argument("-s", "--state")
    parser.parse_args()
