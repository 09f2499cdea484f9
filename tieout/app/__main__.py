"""``python -m tieout.app`` is ``tieout``."""

from tieout.app.cli import main

if __name__ == "__main__":
    main()
