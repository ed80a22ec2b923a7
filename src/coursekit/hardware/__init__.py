"""What limits a model on a chip: rooflines, intensity, number formats, energy, cost, networks."""
