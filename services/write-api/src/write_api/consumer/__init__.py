"""What takes messages from a topic and makes commands of them, for the worker and the process managers alike."""
