"""What the container used over time: kept, told, and judged after a restart."""
