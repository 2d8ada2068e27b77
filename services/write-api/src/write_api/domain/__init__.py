"""What authors may do, and no framework, driver or I/O."""
