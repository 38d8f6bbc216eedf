"""Whether a file is what it says, and harmless to open. Knows no Django: half of it runs in a confined child."""
