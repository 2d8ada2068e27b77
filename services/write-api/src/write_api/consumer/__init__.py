"""The consumers, which take messages from a topic and run the commands that follow from them."""
