"""The web client in Debian's Chromium: what its tests and the screenshots of docs/ share."""
