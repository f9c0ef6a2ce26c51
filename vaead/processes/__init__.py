"""All that starts and ends other processes: workers, trainings, processes with limits.

May import model and version.
"""
