"""Who may see what. Each endpoint names the roles it admits, by the type of one parameter:

    def queue(request: Request, viewer: Desk, services: Services) -> Response: ...

A stranger and a wrong role get 404, as if there were no such page; an auditor is never admitted to a
request that writes. Which rows a viewer sees is decided by his area: hand `viewer.area_id` to the
repositories (they take the whole subtree, None means everything), and ask `viewer.sees(work, area_id)`
before showing one row that was found by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from storage import Work
from storage.model import Case, Elder, User
from visits.life import Actor, Role
from web.security import sessions
from web.services import services_of
from xunfang.errors import NotFound
from xunfang.vocabulary import SessionKind, UserRole

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Viewer:
    user: User
    token_hash: str  # of the session
    wall: bool = False  # 大屏登录: sees what its user sees, on the wall and nowhere else

    @property
    def role(self) -> UserRole:
        return self.user.role

    @property
    def area_id(self) -> int | None:
        """The top of what is seen; None: everything."""
        return self.user.area_id

    @property
    def writes(self) -> bool:
        return self.role is not UserRole.AUDITOR and not self.wall

    @property
    def actor(self) -> Actor:
        """As visits.life and the audit name this person: `user:zhang`, `visitor:3`."""
        if self.role is UserRole.VISITOR and self.user.visitor_id is not None:
            return Actor(Role.VISITOR, str(self.user.visitor_id))
        return Actor(Role.SUPERVISOR, self.user.login)

    def sees(self, work: Work, area_id: int | None) -> bool:
        """One question however large the county is: the way up from the row's area."""
        if self.area_id is None or area_id == self.area_id:
            return True
        return area_id is not None and any(area.id == self.area_id for area in work.areas.path(area_id))

    def elder(self, work: Work, elder_id: int) -> Elder:
        """For the desk's roles. NotFound also for an elder of another area."""
        found = work.elders.get(elder_id)
        if found is None or self.role is UserRole.VISITOR or not self.sees(work, found.area_id):
            raise NotFound("没有这位老人")
        return found

    def case(self, work: Work, case_id: int) -> Case:
        """NotFound also for a case of another area; a visitor sees only those he is to go for."""
        found = work.cases.get(case_id)
        if found is None:
            raise NotFound("没有这个案件")
        if self.role is UserRole.VISITOR:
            if found.visitor_id is None or found.visitor_id != self.user.visitor_id:
                raise NotFound("没有这个案件")
            return found
        try:
            self.elder(work, found.elder_id)
        except NotFound:  # the same words as for one that does not exist
            raise NotFound("没有这个案件") from None
        return found


class SignInAgain(Exception):
    """The session was real but is over: sign in again and go on."""

    def __init__(self, user: User) -> None:
        super().__init__("the session is over")
        self.user = user


class Admit:
    """The dependency behind Desk, Reader, ...; `roles` is read by the test over all routes."""

    def __init__(self, *roles: UserRole, auditor_writes: bool = False, wall: bool = False) -> None:
        self.roles = frozenset(roles)
        self.auditor_writes = auditor_writes  # his own sign-out and password, nothing else
        self.wall = wall  # also a screen, while whoever opened it may use the desk

    def __call__(self, request: Request) -> Viewer:
        house = services_of(request)
        found = sessions.look(house, request)
        wall = False
        if self.wall and (found is None or found[2]):
            on_the_wall = sessions.look(house, request, SessionKind.WALL)
            found, wall = on_the_wall or found, on_the_wall is not None
        if found is None:
            raise HTTPException(404)
        user, token_hash, over = found
        if wall and user.role not in _DESK:
            raise HTTPException(404)
        reads_only = user.role is UserRole.AUDITOR and not self.auditor_writes
        allowed = user.active and user.role in self.roles
        if not allowed or (reads_only and request.method not in SAFE_METHODS):
            raise HTTPException(404)
        if over:
            raise SignInAgain(user)
        viewer = Viewer(user, token_hash, wall)
        request.state.viewer = viewer
        request.state.live_version = house.live.version  # before the endpoint asks the database
        return viewer


_DESK = (UserRole.COUNTY_ADMIN, UserRole.SUPERVISOR)

Admin = Annotated[Viewer, Depends(Admit(UserRole.COUNTY_ADMIN))]
Desk = Annotated[Viewer, Depends(Admit(*_DESK))]  # 督导台: supervisors and the county
Reader = Annotated[Viewer, Depends(Admit(*_DESK, UserRole.AUDITOR))]  # the same, and auditors who only read
OnTheWall = Annotated[Viewer, Depends(Admit(*_DESK, UserRole.AUDITOR, wall=True))]  # and 大屏
AtTheDoor = Annotated[Viewer, Depends(Admit(UserRole.VISITOR))]  # 巡访员
Anyone = Annotated[Viewer, Depends(Admit(*UserRole))]  # whoever is signed in
Owner = Annotated[Viewer, Depends(Admit(*UserRole, auditor_writes=True))]  # of his own account

# Without signing in. Everything else must have one of the above (tests/integration/test_web_access.py).
PUBLIC_PATHS = frozenset({"/login", "/healthz", "/readyz", "/metrics"})
