"""The rules of an operation's life: state machine, outcomes, policy. Pure."""
