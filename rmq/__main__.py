"""`python -m rmq` is the command `rmq`."""

import sys

from rmq.cli import main

sys.exit(main())
