"""Photos to predictions, maps, tables, a report. May import processes, metrics, i18n, held_out and plots."""
