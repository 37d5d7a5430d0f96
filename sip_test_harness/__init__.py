"""A softphone village (软电话村): every behaviour of an elder on demand, over real SIP and RTP.

    list_personas(), list_scenarios(), load_persona(name), load_scenario(name), demo_village()
    Village(personas, host, port, rtp_port, processes)     the telephones
    run(scenario, place)                                   calls against expectations

It stands beside the house and imports only the low-level kit of ivr.telephony. Formats: formats.py.
How a softphone hears which prompt is played: ears.py. A telephone for tests: fluent.py.
"""

from sip_test_harness.formats import (
    demo_village,
    list_personas,
    list_scenarios,
    load_demo_village,
    load_persona,
    load_scenario,
)
from sip_test_harness.model import (
    DemoElder,
    DemoPerson,
    DemoVillage,
    Expected,
    Kind,
    Persona,
    Scenario,
    ScenarioCall,
    VillageEvent,
)
from sip_test_harness.runner import Observed, Result, ok, run
from sip_test_harness.village import Village

__all__ = [
    "DemoElder",
    "DemoPerson",
    "DemoVillage",
    "Expected",
    "Kind",
    "Observed",
    "Persona",
    "Result",
    "Scenario",
    "ScenarioCall",
    "Village",
    "VillageEvent",
    "demo_village",
    "list_personas",
    "list_scenarios",
    "load_demo_village",
    "load_persona",
    "load_scenario",
    "ok",
    "run",
]
