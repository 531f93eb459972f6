"""`python -m pipelines`: see `commands`. Light, as every worker process imports this file too, under another name."""

if __name__ == "__main__":
    import sys

    from pipelines.commands import main

    sys.exit(main())
