"""What a release is made of: its locked packages, which of them an image carries, and their licences."""
