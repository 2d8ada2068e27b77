"""The HTTP side: both services' routes and the bodies of read-api's responses."""
