"""Two poolings of one encoder, trained, compared and served: a library and a command line."""
