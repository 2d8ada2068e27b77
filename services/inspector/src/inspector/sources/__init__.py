"""The readers of the stores and topics. Each one reads a bounded number of rows, messages, keys and documents."""
