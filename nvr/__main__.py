"""`python -m nvr` is `nvr`: the supervisor starts recorders so, with the interpreter it runs in itself."""

import sys

from nvr.cli import main

sys.exit(main())
