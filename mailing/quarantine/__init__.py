"""Inputs that stop whoever takes them: each has its tries, and is then set aside with its reason for staff to see."""
