"""The pages a university reads: opens releases and nothing else, and imports nothing from pipelines."""
