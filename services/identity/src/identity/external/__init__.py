"""Sign-in by external OpenID providers: attempts, providers, and the use case over a store."""
