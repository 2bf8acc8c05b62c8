"""The way by law and to an approved platform: channel, hand-over, life cycle."""
