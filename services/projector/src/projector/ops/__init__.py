"""What operators see: health, metrics, logs, lag reports, retries."""
