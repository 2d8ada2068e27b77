"""The rules of authors and cheeps, without any framework, driver or I/O."""
