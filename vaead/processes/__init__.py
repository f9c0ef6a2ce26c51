"""All that starts other processes: workers, training jobs, trials of models. May import model and version."""
