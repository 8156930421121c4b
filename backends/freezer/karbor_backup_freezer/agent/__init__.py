"""freezer-agent: what it is told, which texts reach it unchanged, and what it can do.

- ``actions``: the actions of each verb. ``action_validation``: which fields one may have.
- ``escaping``: texts that the agent reads as they are.
- ``versions``: which version works on which host.
- ``compatibility``: what comes back, by storage kind, type of resource and version.
"""
