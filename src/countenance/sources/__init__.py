"""Where pictures come from: a folder, a list of addresses, a website."""
