"""What a restore makes in a cloud, completes by what was written down, names, or removes again.

- ``servers`` and ``networks``, ``volumes``: one kind of member each.
- ``requirements``: whether the cloud has what is needed. ``names``: names of what is made.
- ``context``: what a call has before it. ``state``: what is kept between calls.
- ``results``: how a step ends. ``creation``: what was just made, looked at again.
- ``rollback``: removal of what was made.
"""
