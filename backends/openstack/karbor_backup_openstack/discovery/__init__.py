"""What is written down of the resources of a cloud, to make them again.

- ``servers``, ``flavors``, ``networks``, ``machines``: of servers.
- ``volumes``: of volumes.
- ``states``: in which states a server or an image can be backed up.
"""
