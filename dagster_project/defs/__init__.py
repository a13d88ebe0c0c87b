"""The Dagster definitions, one module per step of the night; `build_definitions` joins them.

Belongs here: assets, checks, the job, its schedule and sensor, and the resource that holds the home.
Does not belong here: the work itself, which every asset hands to the room that knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

    from dagster_project.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions of one installation, listed explicitly."""
    import dagster as dg

    from dagster_project.defs import automation, gates, landing, publish, transform
    from dagster_project.defs.resources import HomeResource, step_logger

    project = transform.prepared_project(settings)
    return dg.Definitions(
        assets=[
            *landing.landing_assets(settings),
            transform.candidate,
            transform.warehouse_assets(project),
            gates.marts_export_asset(project.manifest_path),
            publish.release_asset(settings),
        ],
        asset_checks=[gates.gate],
        jobs=[automation.nightly],
        schedules=[automation.nightly_schedule(settings)],
        sensors=[automation.inbox_sensor(settings), automation.watch_sensor(settings)],
        resources={
            "home": HomeResource(home=str(settings.home)),
            "dbt": transform.dbt_resource(project),
        },
        loggers={"steps": step_logger},
        # runs of single assets from the UI too: one process, one holder of the lock
        executor=dg.in_process_executor,
    )
