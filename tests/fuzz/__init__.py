"""Inputs that nobody means well with, made by the thousand out of good ones: each is taken or refused in words."""
