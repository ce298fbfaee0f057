"""What a device filter says of a device the tenant does not know."""

from __future__ import annotations

import pytest

from analyzers.coverage.device_filter import matches_unknown_device


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ('device.isCompliant -eq "True"', False),
        ('device.isCompliant -ne "True"', True),
        ("device.extensionAttribute1 -eq 'SAW'", False),
        ('device.model -notIn ["A", "B"]', True),
        ('device.displayName -contains "a (b) -or c"', False),
        ('device.isCompliant -eq "True" -or device.trustType -ne "ServerAD"', True),
        ('device.isCompliant -eq "True" -and device.trustType -ne "ServerAD"', False),
        ('device.a -ne "1" -or device.b -eq "2" -and device.c -eq "3"', True),
        ('(device.a -ne "1" -or device.b -eq "2") -and device.c -eq "3"', False),
        ('-not (device.isCompliant -eq "True")', True),
        ("device.trustType -eq null", True),
        ("device.trustType -ne $null", False),
        ("", None),
        ("device.isCompliant", None),
        ("device.isCompliant -near 1", None),
        ('(device.isCompliant -eq "True"', None),
        ('device.isCompliant -eq "True" "False"', None),
        ('user.isCompliant -eq "True"', None),
        ('device.isCompliant -eq "True', None),
    ],
)
def test_attributes_of_an_unknown_device_are_null(rule: str, *, matches: bool | None) -> None:
    assert matches_unknown_device(rule) is matches
