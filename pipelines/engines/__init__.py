"""What the pipeline needs to know about each database engine, and nothing else."""
