"""Few rows that stand for many: chosen from the rows, or moved to where they teach most."""
