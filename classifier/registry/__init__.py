"""What is kept: the folder of versions, its champion, and one version on disk.

Imports data, modeling and serving, and what is below them.
"""
