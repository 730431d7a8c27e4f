"""The language of rules: read, checked, brought into normal form, and written anew."""
