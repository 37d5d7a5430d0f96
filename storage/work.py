"""One unit of work: all repositories over one transaction."""

from __future__ import annotations

from storage.db import Db
from storage.repository_accounts import Accounts, Sessions, SignIns
from storage.repository_areas import Areas, Visitors
from storage.repository_calls import Calls
from storage.repository_campaigns import Campaigns
from storage.repository_cases import Cases
from storage.repository_contact_calls import ContactCalls
from storage.repository_doorstep import Doorstep
from storage.repository_elders import Consents, Contacts, Elders
from storage.repository_fates import Fates
from storage.repository_fleet import Channels, Diallers, RecurringSteps
from storage.repository_incoming import Incomings
from storage.repository_ledger import Ledger
from storage.repository_lists import Lists
from storage.repository_outbox import Audit, Notices
from storage.repository_overview import Overview
from storage.repository_planning import Planning
from storage.repository_plans import Plans
from storage.repository_plates import Plates
from storage.repository_points import Points
from storage.repository_records import Records
from storage.repository_reports import Reports
from storage.repository_retention import Retention
from storage.repository_review import CallCommands, Reviews
from storage.repository_rights import Rights
from storage.repository_subsidies import Subsidies
from storage.repository_timeline import Timeline
from storage.repository_times import Times
from storage.repository_turns import Answers, Turns
from storage.repository_verdicts import Corrections, Verdicts
from storage.repository_wall import CaseLists, Wall
from storage.repository_webhooks import ApiTokens, KeptAnswers, Webhooks


class Work:
    """Valid inside its `with` block and its thread only. Commit and rollback belong to the block."""

    def __init__(self, db: Db) -> None:
        self.db = db  # for this room only
        self.areas = Areas(db)
        self.elders = Elders(db)
        self.ledger = Ledger(db)
        self.contacts = Contacts(db)
        self.consents = Consents(db)
        self.visitors = Visitors(db)
        self.plans = Plans(db)
        self.planning = Planning(db)
        self.campaigns = Campaigns(db)
        self.calls = Calls(db)
        self.contact_calls = ContactCalls(db)
        self.incoming = Incomings(db)
        self.times = Times(db)
        self.diallers = Diallers(db)
        self.channels = Channels(db)
        self.recurring = RecurringSteps(db)
        self.turns = Turns(db)
        self.answers = Answers(db)
        self.verdicts = Verdicts(db)
        self.corrections = Corrections(db)
        self.reviews = Reviews(db)
        self.commands = CallCommands(db)
        self.records = Records(db)
        self.cases = Cases(db)
        self.plates = Plates(db)
        self.doorstep = Doorstep(db)
        self.points = Points(db)
        self.notices = Notices(db)
        self.audit = Audit(db)
        self.timeline = Timeline(db)
        self.accounts = Accounts(db)
        self.sessions = Sessions(db)
        self.sign_ins = SignIns(db)
        self.overview = Overview(db)
        self.fates = Fates(db)
        self.reports = Reports(db)
        self.subsidies = Subsidies(db)
        self.retention = Retention(db)
        self.rights = Rights(db)
        self.wall = Wall(db)
        self.case_lists = CaseLists(db)
        self.lists = Lists(db)
        self.api_tokens = ApiTokens(db)
        self.kept_answers = KeptAnswers(db)
        self.webhooks = Webhooks(db)
