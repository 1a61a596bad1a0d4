"""What is recorded: LSL streams, camera, disk."""
