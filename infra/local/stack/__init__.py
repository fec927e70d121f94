"""Runs Heddle on one machine: an emulated AWS, Postgres, and the functions built from this clone."""
