"""The pages, one module per subject: `router` (its endpoints) and NAV (its entries of the menu)."""

from __future__ import annotations

from types import ModuleType

from web.navigation import NavItem
from web.pages import (
    account,
    calls,
    calls_audio,
    calls_steps,
    cases,
    cases_one,
    elders,
    elders_contacts,
    elders_edit,
    elders_files,
    elders_new,
    elders_steps,
    health,
    home,
    interfaces,
    live,
    plates,
    reports,
    reports_forms,
    reports_subsidies,
    review,
    rights,
    sign_in,
    users,
    visitor,
    visitor_checks,
    visitor_forms,
    visitor_points,
    wall,
    wall_callers,
    wall_duty,
    wall_screens,
)

MODULES: tuple[ModuleType, ...] = (
    health,
    sign_in,
    account,
    live,
    home,
    users,
    interfaces,
    reports,
    reports_forms,
    reports_subsidies,
    review,
    calls,
    calls_audio,
    calls_steps,
    visitor,
    visitor_forms,
    visitor_points,
    visitor_checks,
    wall,
    wall_callers,
    wall_duty,
    wall_screens,
    cases,
    cases_one,
    elders_files,
    elders,
    elders_edit,
    elders_steps,
    elders_contacts,
    elders_new,
    plates,
    rights,
)


def navigation() -> tuple[NavItem, ...]:
    return tuple(item for module in MODULES for item in getattr(module, "NAV", ()))
