"""What makes and records the pages of this folder. Nothing here is shipped."""
