"""From windows to D, A and M, and to scores and maps, by exported networks alone. May import ignored."""
