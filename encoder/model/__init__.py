"""The shared words of the platform: records and the pure rules over them. Imports nothing but `errors`."""
