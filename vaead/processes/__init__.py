"""All that starts other processes: workers, training jobs, trials of models from elsewhere."""
