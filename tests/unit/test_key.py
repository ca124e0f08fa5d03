"""Keys as text."""

from __future__ import annotations

import pytest

from encoder.model.key import digest, is_key, new_key, shown

KEY = "enc_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG46kkht"


def test_keys_are_random_whole_and_shown_in_part() -> None:
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == len({digest(key) for key in keys}) == 1000
    for key in keys:
        assert is_key(key)
        assert len(key) == len("enc_live_") + 43 + 6
        assert len(shown(key)) == 13
        assert key.startswith(shown(key))


def test_no_key_passes_with_one_character_changed() -> None:
    key = new_key()
    for at, there in enumerate(key):
        assert not is_key(key[:at] + ("x" if there != "x" else "y") + key[at + 1 :])


def test_the_form_stays_as_it_is_for_keys_that_are_out_there() -> None:
    assert is_key(KEY)
    assert digest(KEY).hex().startswith("3a16c2e85c0a334d")


@pytest.mark.parametrize(
    "text", ["", "enc_live_", "ключ", KEY + "\n", " " + KEY, KEY[:-1], KEY + "0", KEY.upper(), "\udcff", "x" * 10_000]
)
def test_nothing_else_is_a_key(text: str) -> None:
    """B6"""
    assert not is_key(text)
