"""The settings as one type: what an operator can set, said once.

The documentation, the example file and the JSON schema are made from here.
What takes more than one field to judge stands in `config_checks`.
"""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from flaskllm.core.config_cache import CacheSettings
from flaskllm.core.config_checks import check
from flaskllm.core.config_digest_section import DigestSettings
from flaskllm.core.config_inbound import InboundId, InboundSettings
from flaskllm.core.config_job_sections import (
    CallbackSettings,
    JobSettings,
    MailSettings,
)
from flaskllm.core.config_privacy import PrivacySettings
from flaskllm.core.config_retention import RetentionSettings
from flaskllm.core.config_routes import (
    DeploymentSettings,
    ProviderSettings,
    RouteSettings,
)
from flaskllm.core.config_sections import (
    AccountingSettings,
    HealthSettings,
    LimitSettings,
    ServerSettings,
    TimeoutSettings,
)
from flaskllm.core.config_types import (
    DatabaseURL,
    Location,
    LogFormat,
    LogLevel,
    Name,
    RedisURL,
    StrongSecret,
)


class Settings(BaseSettings):
    """Everything an operator can set. Only the arguments count: it reads nothing."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    data_dir: Location = Field(
        Path("data"),
        description="The folder of the database and the master secret, made with "
        "mode 0700. A relative path counts from the working folder.",
    )
    database_url: DatabaseURL | None = Field(
        None,
        examples=["sqlite:////var/lib/flaskllm/flaskllm.db"],
        description="Where the data lives: SQLite (sqlite:// is memory), or "
        "postgresql://user:password@host/name. A SQLite file in data_dir when left "
        "out.",
    )
    redis_url: RedisURL | None = Field(
        None,
        examples=["redis://:password@localhost:6379/0"],
        description="A Redis for what processes and hosts share and may lose: counts "
        "of limits, cached answers, how deployments stand. Left out, that lies in "
        "memory or in the database.",
    )
    secret: StrongSecret | None = Field(
        None,
        examples=["${FLASKLLM_SECRET}"],
        description="The master secret that all other keys are derived from. When "
        "left out, data_dir/secret is made at the first start; with PostgreSQL it must "
        "be given.",
    )
    previous_secret: StrongSecret | None = Field(
        None,
        examples=["${FLASKLLM_PREVIOUS_SECRET}"],
        description="The master secret before this one, while it is changed. When "
        "left out, data_dir/secret.previous is read where it exists.",
    )
    api_token: StrongSecret | None = Field(
        None,
        examples=["${FLASKLLM_API_TOKEN}"],
        description="A bootstrap API token with all scopes, never stored.",
    )
    log_level: LogLevel = Field(
        "INFO", description="The least important lines that are still logged."
    )
    log_format: LogFormat = Field(
        "auto", description="auto is text on a terminal and JSON elsewhere."
    )
    log_file: Location | None = Field(
        None,
        examples=["data/flaskllm.log"],
        description="Log to this file besides standard error, rotated at 10 MB, five "
        "kept.",
    )
    templates_dir: Location | None = Field(
        None,
        examples=["templates"],
        description="A folder of prompt templates that override the built-in ones.",
    )
    server: ServerSettings = Field(
        ServerSettings(), description="Where the gateway listens, and whom it believes."
    )
    limits: LimitSettings = Field(
        LimitSettings(),
        description="How often a peer may knock, and where the limits of API tokens "
        "are counted.",
    )
    timeouts: TimeoutSettings = Field(
        TimeoutSettings(), description="How long an upstream may take."
    )
    health: HealthSettings = Field(
        HealthSettings(), description="When a deployment that fails is left alone."
    )
    cache: CacheSettings = Field(
        CacheSettings(),
        description="Where answers are kept, and how many, for routes that keep them.",
    )
    accounting: AccountingSettings = Field(
        AccountingSettings(), description="How money is counted."
    )
    digests: DigestSettings = Field(
        DigestSettings(),
        description="How documents are digested that take several calls.",
    )
    privacy: PrivacySettings = Field(
        PrivacySettings(), description="What is kept from upstreams."
    )
    jobs: JobSettings = Field(
        JobSettings(), description="What is accepted now and done later."
    )
    retention: RetentionSettings = Field(
        RetentionSettings(), description="How long what happened is kept."
    )
    callbacks: CallbackSettings = Field(
        CallbackSettings(), description="Where callbacks may go."
    )
    mail: MailSettings = Field(
        MailSettings(), description="The mail server that takes outgoing mail."
    )
    inbound: dict[InboundId, InboundSettings] = Field(
        {},
        description="The endpoints to which senders deliver mail and meetings, each "
        "under an id that stands in its address.",
    )
    providers: dict[Name, ProviderSettings] = Field(
        {},
        description="The upstreams, each under a name of yours. When there are none, "
        "they are found from the usual variables (OPENAI_API_KEY).",
    )
    deployments: dict[Name, DeploymentSettings] = Field(
        {},
        description="The callable models, each under a name of yours.",
    )
    routes: tuple[RouteSettings, ...] = Field(
        (),
        description="Which deployments answer to a model name.",
    )
    default_route: str | None = Field(
        None,
        examples=["fast"],
        description="The alias for requests that name no model; when left out the "
        "first alias of `routes`, and offline where there is no route.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keep the arguments as the only source: `config.load` reads the others.

        It alone can say where each value came from and name unknown variables.
        """
        return (init_settings,)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = check(self.model_dump())
        if problems:
            text = "\n".join(problem.text() for problem in problems)
            raise PydanticCustomError("disagreement", "{text}", {"text": text})
        return self
