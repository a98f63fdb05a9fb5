"""What a verb says while it works, as lines for a person."""

from orchestrator.cli.terminal import say
from orchestrator.events import Event, Note, Step, Waiting


def tell(event: Event) -> None:
    """Says an event in one line, where it has something to say."""
    match event:
        case Step(text):
            say(f"✓ {text}")
        case Note(text):
            say(f"note: {text}")
        case Waiting(reason):
            say(f"waiting: {reason}")
