"""What every source and destination does, as tests: ours pass them, and a plug-in's author inherits them.

`docs/howto/plug-in.md` shows how. This is the one part of the package that needs pytest (with pytest-asyncio);
nothing else imports it.
"""
