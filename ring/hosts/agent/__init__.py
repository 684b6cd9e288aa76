"""What runs on a host reached over ssh: one file without dependencies, see `agent_file.py`.

Everything here needs the standard library only, and of this project only what is packed with it.
"""
