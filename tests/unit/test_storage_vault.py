"""Keys, blind index and URLs: pure parts of the storage room."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from storage.engine import database_url
from storage.repository_plans import lot
from storage.vault import Vault, new_secret, normalise_id_card, normalise_phone
from xunfang.errors import BadSettings, StorageError

pytestmark = pytest.mark.unit

OLD, NEW = "the first secret of the county", "the second secret of the county"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("13812340001", "13812340001"),
        ("+86 138 1234 0001", "13812340001"),
        ("0086-138-1234-0001", "13812340001"),
        ("8613812340001", "13812340001"),
        ("１３８１２３４０００１", "13812340001"),
        ("0431-8888 1234", "043188881234"),
        ("+86 431 8888 1234", "043188881234"),
        ("(0431)88881234", "043188881234"),
        ("", ""),
    ],
)
def test_one_number_is_one_number_however_it_is_written(written: str, dialled: str) -> None:
    assert normalise_phone(written) == dialled


def test_the_check_digit_of_an_id_card_may_be_a_small_x() -> None:
    assert normalise_id_card(" 11010519491231002x ") == "11010519491231002X"


def test_the_same_text_never_gives_the_same_ciphertext_but_always_the_same_index() -> None:
    vault = Vault([OLD])
    assert vault.encrypt("13812340001") != vault.encrypt("13812340001")
    assert vault.phone_index("13812340001") == vault.phone_index("+86 13812340001")


def test_an_index_says_nothing_without_the_key_and_nothing_across_columns() -> None:
    assert Vault([OLD]).phone_index("13812340001") != Vault([NEW]).phone_index("13812340001")
    assert Vault([OLD]).phone_index("13812340001") != Vault([OLD]).id_card_index("13812340001")


def test_no_number_has_no_index_so_that_elders_without_phone_do_not_match_each_other() -> None:
    assert Vault([OLD]).phone_index("") is None
    assert Vault([OLD]).phone_index(None) is None
    assert Vault([OLD]).phone_indexes("") == []


def test_a_new_key_in_front_still_reads_and_finds_what_the_old_one_wrote() -> None:
    old, both = Vault([OLD]), Vault([NEW, OLD])
    assert both.decrypt(old.encrypt("王桂兰")) == "王桂兰"
    assert old.phone_index("13812340001") in both.phone_indexes("13812340001")
    assert both.phone_index("13812340001") == Vault([NEW]).phone_index("13812340001")


def test_a_wrong_key_says_which_thing_is_wrong_and_not_what_was_hidden() -> None:
    token = Vault([OLD]).encrypt("13812340001")
    with pytest.raises(StorageError, match="secret key is not the one") as caught:
        Vault([NEW]).decrypt(token)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("keys", [[], ["short"], [OLD, "short"], "a string is not a list of keys"])
def test_missing_or_guessable_keys_are_refused(keys: list[str]) -> None:
    with pytest.raises(BadSettings):
        Vault(keys)


def test_a_fresh_secret_is_accepted_and_never_twice_the_same() -> None:
    Vault([new_secret()])
    assert new_secret() != new_secret()


def test_a_vault_does_not_show_its_keys() -> None:
    assert OLD not in repr(Vault([OLD]))


@pytest.mark.parametrize("value", ["data/x.db", "sqlite:///data/x.db"])
def test_a_relative_database_lies_beside_the_settings(value: str) -> None:
    assert make_url(database_url(value, base=Path("/srv/county"))).database == "/srv/county/data/x.db"


def test_an_absolute_database_stays_where_it_is() -> None:
    assert make_url(database_url("sqlite:////var/x.db", base=Path("/srv"))).database == "/var/x.db"


def test_postgresql_is_spoken_to_with_psycopg_3_and_keeps_its_password() -> None:
    url = database_url("postgresql://clerk:p%40ss@db:5433/county")
    assert url == "postgresql+psycopg://clerk:p%40ss@db:5433/county"


@pytest.mark.parametrize(
    "value", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense://", "a://b://c"]
)
def test_other_databases_are_refused_with_what_is_allowed(value: str) -> None:
    with pytest.raises(BadSettings, match=r"sqlite:///data/xunfang\.db"):
        database_url(value)


def test_the_lot_shuffles_neighbours_and_differs_from_period_to_period() -> None:
    elders = range(1, 1001)
    first = sorted(elders, key=lambda elder: lot(elder, "2026-W47"))
    second = sorted(elders, key=lambda elder: lot(elder, "2026-W48"))
    assert first != second
    # Of the first hundred called, every quarter of the ledger has its share (25 each, if perfect).
    shares = [sum(1 for elder in first[:100] if (elder - 1) // 250 == quarter) for quarter in range(4)]
    assert min(shares) >= 15
