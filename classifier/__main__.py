"""The command line: `python -m classifier`."""

from classifier.interruption import hold_interruptions
from classifier.memory import collect_garbage_seldom, keep_freed_pages

hold_interruptions()  # until there is somebody to tell of them
keep_freed_pages()  # before torch is imported and starts its threads
collect_garbage_seldom()

from classifier.commands.app import main  # noqa: E402

if __name__ == "__main__":
    main()
