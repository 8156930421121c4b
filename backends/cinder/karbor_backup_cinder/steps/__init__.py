"""The steps of the verbs, one class each; ``workflow`` has their order."""
