"""The nodes of alignment: sample, simulate, compare, critique, update, gate, publish."""
