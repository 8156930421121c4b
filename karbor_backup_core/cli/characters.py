"""Which characters reach a terminal: letters and signs, and nothing that moves its cursor."""


def printable(text: str) -> str:
    """Answer a text in one line, in which nothing but letters and signs reaches the terminal.

    Names come from services and from people, and may hold line ends or escape sequences.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def printable_lines(text: str) -> str:
    """Answer a text as ``printable`` does, with its line ends."""
    return "\n".join(printable(line) for line in text.split("\n"))
