"""`python -m ferraug.cli`."""

import sys

from . import main

sys.exit(main())
