"""One file per noun of the command line, named as it is: ``mspbyte secret-key`` is ``secret_key.app``."""
