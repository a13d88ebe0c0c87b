"""The wiring: settings, the `zhuanke` command, and the Dagster definitions that join the rooms together.

Belongs here: everything that imports Dagster, and the order in which things happen.
Does not belong here: reading a source system, an indicator, a rule, a release. Those are rooms of their own
(`sources`, `dbt`, `expectations`, `publishing`) and know nothing of this package.
"""

import os

# No part of the system calls home. Set once, before Dagster, dbt or Great Expectations is imported, and
# inherited by every child process. An operator cannot turn it on by accident: assignment, not a default.
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
os.environ["GX_ANALYTICS_ENABLED"] = "false"
