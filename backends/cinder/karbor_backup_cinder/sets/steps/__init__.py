"""The steps of the verbs on sets, one class each; ``workflow`` has their order."""
