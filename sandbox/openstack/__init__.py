"""The part `cloud`: Glance, Cinder, Placement, Neutron and Nova beside the sandbox's Keystone.

One module for each server; `bringup` has their order, and `cloud_tools` what tests do with them.
"""
