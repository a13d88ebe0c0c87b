"""What `dagster` loads: the definitions of the home that ZHUANKE_HOME names. Nothing else belongs here."""

from dagster_project.defs import build_definitions
from dagster_project.settings import load_settings

defs = build_definitions(load_settings())
