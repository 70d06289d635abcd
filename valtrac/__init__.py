"""ValTrac: pays the people behind a validator, a pool or a custodian exactly once, and proves it."""

__version__ = "0.1.0"
