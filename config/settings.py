"""The configuration of one daemon: one target, one environment. Read by `config.load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.addresses import BaseUrl, Listen, SecretUrl, StoreUrl, Url
from config.profile import CheckSettings, Environment, Limits, PathSettings
from config.values import Duration, Model, SecretReference, Text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone; write for example UTC or Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class Identity(Model):
    """A synthetic account of the target."""

    username: Text = Field(examples=["probe-operator@example.org"])
    password: SecretReference = Field(examples=["{env: NAME}"])
    role: str = ""


class Confirmation(Model):
    """How a failure is confirmed: the attempts of a run are *gap* seconds apart."""

    gap: Duration = 5.0


class Resolution(Model):
    """When an incident ends: that many clean runs in a row, over at least *span* seconds."""

    successes: int = Field(default=3, ge=1)
    span: Duration = 60.0
    reopen_within: Duration = 1800.0


class Slo(Model):
    """The account. *zone* is the IANA zone of the calendar month in the contract."""

    zone: Zone = "UTC"
    rolling: Duration = 2_592_000.0


class Store(Model):
    """Where the journal lives: `sqlite:///FILE` or `postgresql://…`. The password of a URL goes into *password*."""

    url: StoreUrl = "sqlite:///critpath.db"
    password: SecretReference | None = None


class Web(Model):
    """The address of `/metrics`, health and, with a token, of changes. *public* opens pages beyond loopback."""

    listen: Listen = "127.0.0.1:9808"
    token: SecretReference | None = None
    public: bool = False


class Browser(Model):
    """The browser. Without *executable*, Playwright's own is used, then the system's Chromium."""

    executable: str | None = None
    sandbox: Literal["auto", "on", "off"] = "auto"


class Log(Model):
    """What the log looks like. `auto` is pretty on a terminal and JSON elsewhere."""

    format: Literal["auto", "json", "pretty"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class AlertmanagerChannel(Model):
    """All peers of an Alertmanager; each is told everything."""

    kind: Literal["alertmanager"]
    urls: tuple[Url, ...] = Field(min_length=1)


class WebhookChannel(Model):
    """A JSON POST, signed where a secret is given."""

    kind: Literal["webhook"]
    url: SecretUrl
    secret: SecretReference | None = None


class LogChannel(Model):
    """The daemon's own log."""

    kind: Literal["log"]


ChannelSettings = Annotated[AlertmanagerChannel | WebhookChannel | LogChannel, Field(discriminator="kind")]


class Settings(BaseSettings):
    """
    Everything an operator decides. Environment variables `CRITPATH_…` override the file, `__` between levels.

    `paths` and `checks` are the profile's, with the file's own laid over them key by key.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="CRITPATH_", env_nested_delimiter="__")

    environment: Environment
    target: Text = Field(examples=["summit"])
    tenant: Text = Field(examples=["synthetic"])
    surfaces: Mapping[str, BaseUrl] = Field(examples=["{api: https://api.example.org}"])
    writes: Literal["refused", "allowed"] = "refused"
    vantage: str = "default"
    hosts: Mapping[Environment, tuple[str, ...]] = Field(default_factory=dict)
    identities: Mapping[str, Identity] = Field(default_factory=dict)
    fixture: Mapping[str, Any] = Field(default_factory=dict)
    limits: Limits = Limits()
    confirmation: Confirmation = Confirmation()
    resolution: Resolution = Resolution()
    slo: Slo = Slo()
    store: Store = Store()
    web: Web = Web()
    browser: Browser = Browser()
    log: Log = Log()
    channels: Mapping[str, ChannelSettings] = Field(default_factory=dict)
    paths: Mapping[str, PathSettings]
    checks: Mapping[str, CheckSettings]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is handed in: `config.load` reads the environment itself, to say which variable is wrong."""
        return (init_settings,)
