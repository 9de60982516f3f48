"""Checkpoints of versions that lacked keys are taken up: their fingerprint is of the settings of the time."""

import tomllib
from zlib import crc32

from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.runs.checkpoints.fingerprint import FREE, _of_scenario


def test_settings_without_the_keys_that_were_added_later_have_the_checksum_of_their_time():
    scenario = resolve({"data": {"source": "field"}, "agents": {"inducing": 12}}, "study")
    written, added = tomllib.loads(scenario.to_toml()), {"run": {FREE}}
    for section in scenario.sections():
        later = getattr(scenario, section).unhashed()
        added[section] = later | added.get(section, set())
        written[section] = {key: value for key, value in written[section].items() if key not in later}
    assert {"kernel", "inducing_common"} <= added["agents"]  # one has a value, the other has none
    taken = crc32(scenario.model_dump_json(exclude=added).encode())
    assert taken in _of_scenario(scenario, written)
    assert taken not in _of_scenario(resolve({"data": {"source": "field"}}, "study"), written)
