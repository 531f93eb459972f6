"""Charts: a frame in, a Plotly figure out. No reading, no Streamlit; titles and words are put beside them."""
