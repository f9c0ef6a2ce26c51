"""A program that scores without vaead and goes with each model of photos. May import nothing."""
