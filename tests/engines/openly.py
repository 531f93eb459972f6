"""The command line, hiding nothing (which no setting may ask for), so that all figures can be compared."""

import sys
from functools import partial
from unittest.mock import patch

from pipelines import commands
from pipelines.settings import Settings
from tests.pipelines.unattacked import NOTHING_HIDDEN

if __name__ == "__main__":
    with patch.object(commands, "Settings", partial(Settings, rules=NOTHING_HIDDEN)):
        sys.exit(commands.main())
