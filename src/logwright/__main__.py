"""`python -m logwright`: the same as the `logwright` command."""

from logwright.cli import main

if __name__ == "__main__":
    main.run()
