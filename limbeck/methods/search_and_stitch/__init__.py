"""Search and stitch: a network or black box into a tree (Boix-Adsera 2024)."""
