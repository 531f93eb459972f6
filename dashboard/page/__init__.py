"""One page per file, one question per page: choose, look up, say, show.

The folder is not called `pages`: Streamlit takes a folder of that name beside the app for pages it should
run by itself, so that the first visit after a start would bypass app.py.
"""
