"""lifelog look: a folder of recordings → a commented configuration, and what it leaves open."""
