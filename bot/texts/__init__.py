"""All that users read: each phrase in Russian and in English, one module for each topic.

locale.py turns a phrase into the reader's language. Imports services, whose results it words;
holds no layout.
"""
