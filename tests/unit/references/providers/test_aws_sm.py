"""References to AWS Secrets Manager: which are of the form, before anything is asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.references.providers.aws import aws_sm
from pocket_protector.references.providers.aws.aws_sm import AwsSecretsManager

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"


@pytest.mark.parametrize(
    "text",
    [
        "aws-sm://name",
        "aws-sm://eu-west-1",
        "aws-sm:///eu-west-1/name",
        "aws-sm://eu-west-1/a/b/c",
        "aws-sm://eu-west-1//leading/slash",
        "aws-sm:////leading/slash",
        "aws-sm://a/b_+=.@-!c",
        "aws-sm://rds!db-1",
        f"aws-sm://{ARN}",
        f"aws-sm:///{ARN}",
        f"aws-sm://eu-west-1/{ARN}",
        "aws-sm://arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a/b-AbCdEf",
        "aws-sm://arn:aws-iso-b:secretsmanager:us-isob-east-1:123456789012:secret:a-AbCdEf",
        "aws-sm://name?version-stage=AWSPREVIOUS#json.key",
        "aws-sm://name?version-id=01234567-89ab-cdef-0123-456789abcdef",
        "aws-sm://" + "a" * 512,
    ],
)
def test_good(text: str) -> None:
    AwsSecretsManager().check(Reference(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aws-sm:///", "not a valid name or ARN"),
        ("aws-sm://eu-west-1/", "not a valid name or ARN"),
        ("aws-sm://a%20b", "not a valid name or ARN"),
        ("aws-sm://host:443/name", "not a valid name or ARN"),
        ("aws-sm://user@host:1", "not a valid name or ARN"),
        ("aws-sm://name%3Fx", "not a valid name or ARN"),
        ("aws-sm://n%C3%A4me", "not a valid name or ARN"),
        ("aws-sm://" + "a" * 513, "not a valid name or ARN"),
        (f"aws-sm://us-east-1/{ARN}", "another region"),
        (f"aws-sm://{ARN.replace('eu-west-1', 'evil.example')}", "not a valid name or ARN"),
        (f"aws-sm://{ARN.replace('eu-west-1', '')}", "not a valid name or ARN"),
        (f"aws-sm://{ARN.replace('secretsmanager', 'ssm')}", "not a valid name or ARN"),
        (f"aws-sm://{ARN.replace('123456789012', '12')}", "not a valid name or ARN"),
        (f"aws-sm://{ARN.replace(':secret:', ':secret/')}", "not a valid name or ARN"),
        ("aws-sm://name?version=1", "query"),
        ("aws-sm://name?version-id=1", "query"),
        ("aws-sm://name?version-stage=a%20b", "query"),
        (f"aws-sm://name?version-id={'1' * 65}", "query"),
        (f"aws-sm://name?version-id={'1' * 32}&version-stage=AWSCURRENT", "either"),
        ("aws-sm://name?region=eu-west-1", "query"),
    ],
)
def test_bad(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        AwsSecretsManager().check(Reference(text))
    assert AwsSecretsManager.form in caught.value.hint


@pytest.mark.parametrize(
    "first", ["my-app-1", "prod-east-1", "eu-west", "eu-west-1a", "us-east-100", "EU-WEST-1", "eu"]
)
def test_what_is_no_region_begins_the_name(first: str) -> None:
    assert not re.fullmatch(aws_sm.REGION, first)


def test_every_region_that_the_sdk_knows_looks_like_one() -> None:
    botocore = pytest.importorskip("botocore")
    known = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8"))
    regions = {region for partition in known["partitions"] for region in partition["regions"]}
    regions = {region for region in regions if not region.endswith("-global")}
    assert len(regions) > 30
    assert [region for region in sorted(regions) if not re.fullmatch(aws_sm.REGION, region)] == []


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    with pytest.raises(ProviderError, match="need an extra") as caught:
        AwsSecretsManager().fetch(Reference("aws-sm://name"), time.monotonic() + 5)
    assert caught.value.fault is Fault.OTHER
    assert caught.value.hint == "pip install 'pprotect[aws]'"


def test_checking_imports_no_sdk() -> None:
    code = (
        "import sys; from pocket_protector.document.reference import Reference;"
        "from pocket_protector.references.providers.aws.aws_sm import AwsSecretsManager;"
        "AwsSecretsManager().check(Reference('aws-sm://name'));"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
