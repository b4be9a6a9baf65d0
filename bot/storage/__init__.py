"""The database as files: who uses it, its backups, restored or moved; temporary files.

May import classifier.files and db; imported by whatever starts the bot or looks after it.
"""
