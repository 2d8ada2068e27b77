"""What operators see: health, metrics, logs, retries."""
