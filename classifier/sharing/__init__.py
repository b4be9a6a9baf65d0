"""Versions on the hub.

- layout: which files of a version leave this machine, and where they are in its repository
- public_copy: a version without what only its owner may read
- push, pull: to the hub and from it; refusals: what it says instead

Imports reports and what is below it, but for training and commands.
"""
