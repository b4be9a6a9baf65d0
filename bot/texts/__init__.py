"""All that a person reads: each phrase in Russian and in English, a module for each topic.

locale.py puts a phrase into the reader's language. Imports services, whose findings it words;
holds no numbers and no layout.
"""
