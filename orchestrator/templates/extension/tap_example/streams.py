"""What is different about the streams of tap-base."""

from singer_sdk import Stream


def changed(stream: Stream) -> Stream:
    """A stream of tap-base as this tap offers it: with another key, another name, or a column less."""
    if stream.name == "a-stream-with-another-key-here":
        stream.primary_keys = ("code",)
    return stream
