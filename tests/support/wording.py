"""Finds what a message says twice in a row, as happens where one message is put before another."""

import re

_PHRASE = r"\w+(?:[ '\-]\w+)*"
_AFTER_PUNCTUATION = re.compile(
    rf"(?<![-\w])({_PHRASE})\b(?:[:;,] *|\. +)(?:it (?:was|is|has) )?\1\b", re.IGNORECASE
)
_SIDE_BY_SIDE = re.compile(r"\b([a-z]+ [a-z]+)\b:?\s+\1\b", re.IGNORECASE)
_SAME_WORD = re.compile(r"\b([A-Za-z]{3,}) \1\b(?!-)")
_WORD = re.compile(r"[^\W\d]{3,}")


def find_repetition(text: str) -> str | None:
    """Return a phrase that stands twice in a row in a message, or None.

    Numbers do not count, nor does a single short word: they stand in lists.
    """
    for pattern in (_AFTER_PUNCTUATION, _SIDE_BY_SIDE, _SAME_WORD):
        for match in pattern.finditer(text):
            if _WORD.search(match.group(1)):
                return match.group()
    return None
