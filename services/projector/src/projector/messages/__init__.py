"""Messages of the log: decoded, or as they are parked."""
