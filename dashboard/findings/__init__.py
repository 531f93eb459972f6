"""What the figures say: comparisons, and the sentences that report them, honest about doubt.

Pure: published cells and gaps in, words out. Nothing here reads a release or draws.
"""
