"""What the committee sees: packs as PDF, slides, workbook and web page, and single charts as images.

One story, told once from a release, feeds every format, so that words and numbers are the same in all of them.
Nothing here knows Streamlit: `python -m dashboard.exports pack` makes the same files.
"""
