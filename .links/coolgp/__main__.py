"""``python -m coolgp``: the command line."""

from coolgp.scenarios.cli.app import main

if __name__ == "__main__":
    main()
