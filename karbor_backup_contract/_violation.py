"""What a rule raises when it does not hold."""


class RuleViolation(AssertionError):
    """A rule does not hold; the message says what was seen."""
