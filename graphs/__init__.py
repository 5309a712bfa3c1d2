"""The graphs: topology and nothing else."""
