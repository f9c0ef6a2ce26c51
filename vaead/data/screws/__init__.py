"""Made-up screw holes, normal and with defects, drawn from a seed."""
