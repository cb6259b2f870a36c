"""The kinds of values that settings are made of, each with its check."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

from flaskllm.core.config_addresses import check_base_url
from flaskllm.core.config_databases import check_database_url
from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_redis import check_redis_url
from flaskllm.core.config_strength import check_strength

LogFormat = Literal["auto", "json", "text"]


def _refuse_bool(value: object) -> object:
    # Python counts True as 1, so `port: yes` would open port 1.
    if isinstance(value, bool):
        raise wrong_value("true or false", "a number")
    return value


def _refuse_empty(value: object) -> object:
    # An empty path means the working folder, which we would then close to others.
    if value == "":
        raise wrong_value("an empty text", "a path")
    return value


def _off(value: object) -> object:
    # YAML 1.1 reads `off` without quotes as false.
    return "off" if value is False else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _check_api_key(value: SecretStr) -> SecretStr:
    # A line feed at the end is what a file or a shell leaves behind.
    text = value.get_secret_value().strip()
    if not text:
        allowed = "the credential; leave it out for none"
        raise wrong_value("an empty text", allowed, "secrets")
    if any(not "!" <= sign <= "~" for sign in text):
        raise wrong_value(
            "a text with a blank, a line break or a letter outside ASCII",
            "the credential alone, as the upstream gave it",
            "secrets",
        )
    return SecretStr(text)


def _check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder
        raise wrong_value(repr(value), "a name such as Europe/Berlin, or UTC") from None
    return value


def _check_strength(value: SecretStr) -> SecretStr:
    check_strength(value.get_secret_value())
    return value


def _check_database_url(value: SecretStr) -> SecretStr:
    check_database_url(value.get_secret_value())
    return value


def _check_redis_url(value: SecretStr) -> SecretStr:
    check_redis_url(value.get_secret_value())
    return value


Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")
]
Whole = Annotated[int, BeforeValidator(_refuse_bool)]
Weight = Annotated[int, Field(gt=0, le=1_000_000), BeforeValidator(_refuse_bool)]
Tokens = Annotated[int, Field(gt=0, le=100_000_000), BeforeValidator(_refuse_bool)]
Seconds = Annotated[float, Field(gt=0, le=3600), BeforeValidator(_refuse_bool)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000), BeforeValidator(_refuse_bool)]
Rescue = Annotated[
    Literal["match", "continue", "off"],
    BeforeValidator(_off),
    WithJsonSchema({"enum": ["match", "continue", "off", False]}),
]
Location = Annotated[Path, BeforeValidator(_refuse_empty)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
]
TimeZone = Annotated[
    str, Field(min_length=1, max_length=64), AfterValidator(_check_time_zone)
]
StrongSecret = Annotated[SecretStr, AfterValidator(_check_strength)]
Credential = Annotated[SecretStr, AfterValidator(_check_api_key)]
DatabaseURL = Annotated[SecretStr, AfterValidator(_check_database_url)]
RedisURL = Annotated[SecretStr, AfterValidator(_check_redis_url)]
BaseURL = Annotated[str, AfterValidator(check_base_url)]
