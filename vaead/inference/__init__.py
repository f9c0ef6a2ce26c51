"""Photos to predictions, maps, tables and a report. May import processes, metrics, i18n, data and plots."""
