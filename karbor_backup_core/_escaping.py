"""Text from services, documents and people, made fit for a terminal and for messages.

Names and reasons come from outside, and may hold line ends or escape sequences that move a
terminal's cursor or change what stands on it. This is the one place where they are escaped.
"""


def printable(text: str) -> str:
    """Return a text in one line, with everything but letters, digits and signs escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def printable_lines(text: str) -> str:
    """Return a text as ``printable`` does, with its line ends."""
    return "\n".join(printable(line) for line in text.split("\n"))


def truncate_text(text: str, limit: int) -> str:
    """Return a text of at most that many characters, or its beginning and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
