"""Every setting, once.

Read in this order, the first that speaks wins: a command's option, the environment (`COUNTENANCE_HOME`,
`COUNTENANCE_SEARCH__LIMIT`, …), `countenance.toml` in the home, the default below.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from countenance.domain.errors import Broken


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Part):
    """Where the rows are."""

    url: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database of the home's own, as postgresql+psycopg://USER@HOST/DATABASE; "
        "without it the rows lie in the home, in SQLite (needs the extra `postgres`).",
    )


class ImageSettings(_Part):
    """Limits on what is decoded."""

    max_bytes: int = Field(default=64 * 2**20, gt=0, description="Largest file read, in bytes.")
    max_pixels: int = Field(default=64_000_000, gt=0, description="Most pixels decoded at once.")
    max_draft_pixels: int = Field(
        default=400_000_000, gt=0, description="Most pixels of a JPEG, which is decoded scaled down."
    )
    max_frames: int = Field(default=2000, gt=0, description="Most frames of an animated or many-page file.")
    max_seconds: float = Field(default=20.0, gt=0, description="Longest time for one picture, in seconds.")


class FaceSettings(_Part):
    """What runs the models, and which faces are good enough to be indexed."""

    pack: str = Field(default="open", description="Model pack: its name, or a folder with pack.toml.")
    runtime: Literal["auto", "openvino", "onnxruntime"] = Field(default="auto", description="Inference engine.")
    weights: Path | None = Field(default=None, description="Folder or mirror to look for weights in first.")
    min_inter_eye: float | None = Field(default=None, ge=0, description="Least distance between the eyes, in pixels.")
    min_sharpness: float | None = Field(
        default=None, ge=0, description="Least variance of the Laplacian of the aligned crop."
    )
    min_detector: float | None = Field(default=None, ge=0, le=1, description="Least score of the detector.")
    max_yaw: float | None = Field(default=None, ge=0, le=90, description="Most degrees that a face may be turned away.")


class IngestSettings(_Part):
    """How work is spread."""

    workers: int = Field(default=0, ge=0, description="Worker processes; 0 means one a core.")
    batch: int = Field(default=64, gt=0, description="Most pictures handed to a worker at once.")


class SearchSettings(_Part):
    """What a search shows."""

    limit: int = Field(default=20, gt=0, le=1000, description="Most picture groups shown.")
    min_likeness: float = Field(default=0.2, ge=-1, le=1, description="Least cosine of a candidate.")
    reliable_strangers: float = Field(
        default=0.01, gt=0, description="Most expected strangers of a reliable candidate."
    )
    handle_minutes: int = Field(default=60, gt=0, description="How long crops and pictures of a search can be opened.")


class CrawlSettings(_Part):
    """How politely the web is read."""

    rate: float = Field(default=1.0, gt=0, description="Requests a second to one host.")
    max_pages: int = Field(default=10_000, gt=0, description="Most pages of one source.")
    max_depth: int = Field(default=20, gt=0, description="Most links from a start page.")
    max_page_bytes: int = Field(default=8 * 2**20, gt=0, description="Largest page, in bytes.")
    download_seconds: float = Field(default=60.0, gt=0, description="Longest time for one download, in seconds.")


class RetentionSettings(_Part):
    """How long personal data is kept, once for all that applies it or tells of it (`services.schedule`)."""

    source_days: int = Field(
        default=90, ge=1, le=3650, description="Days until a source expires and is erased, unless it states its own."
    )
    probe_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="Days that a sealed probe, and what was noted of a search, is kept after its authority's end.",
    )
    analysis_days: int = Field(
        default=365, ge=1, le=3650, description="Days until an analysis of proxy logs is erased."
    )
    known_pair_days: int = Field(
        default=730, ge=1, le=3650, description="Days until a known pair for reviewers is taken away."
    )
    token_days: int = Field(
        default=90, ge=0, le=3650, description="Days that a program's token is listed after its end."
    )
    closed_account_days: int = Field(
        default=2190,
        ge=30,
        le=3650,
        description="Days that the name of a closed account, and what it signed in with, is kept.",
    )
    backup_days: int = Field(
        default=30, ge=1, le=3650, description="Days after which people have to have destroyed a backup."
    )
    hold_days: int = Field(
        default=366, ge=1, le=3650, description="Longest time that a legal hold is placed for, in days."
    )


class ProxyLogSettings(_Part):
    """How logs of other people's sites are analysed."""

    gap_minutes: int = Field(default=30, gt=0, le=1440, description="A session ends after so long without a request.")
    dpia: str | None = Field(
        default=None, description="Id of the impact assessment that the analysis of staff's traffic rests on."
    )
    require_dpia: bool = Field(default=False, description="Refuse to analyse without the id of an impact assessment.")


class AuthoritySettings(_Part):
    """What a request for an authority has to say."""

    purposes: list[str] = Field(default=[], description="Purposes that may be asked for; empty allows any words.")
    outcomes: list[str] = Field(
        default=[], description="What may be done with what is found, to choose from; empty allows any words."
    )
    case_pattern: str | None = Field(
        default=None, description="Regular expression that the whole of a case's number has to match."
    )
    case_lookup: str | None = Field(
        default=None,
        description="Address of the case system, with {case} in it: 200 for a case that is open, 404 for none, "
        "410 for one that is closed.",
    )
    urgent_hours: int = Field(
        default=48, gt=0, le=48, description="Hours until a search made before approval has to be approved."
    )


class OverseeSettings(_Part):
    """What an overseer is told of: the bounds of each sign of misuse."""

    time_zone: str = Field(default="UTC", description="Zone in which shifts are meant.")
    shift: str = Field(default="mon-fri 07:00-19:00", description="When people work who are in no other shift.")
    shifts: dict[str, str] = Field(
        default_factory=dict, description="Other shifts by user, like mon-sun 19:00-07:00; they may run over midnight."
    )
    grace_minutes: int = Field(default=90, ge=0, description="How far outside a shift is no sign.")
    company: int = Field(default=2, ge=1, description="Others outside their shifts that make a night an urgent one.")
    night_faces: int = Field(
        default=2,
        gt=0,
        description="Fewest faces that cases know from no working hour, sought by night in four weeks, for a person.",
    )
    closed_grace_hours: int = Field(default=24, ge=0, description="How long after closing a case a search is no sign.")
    burst_minutes: int = Field(default=30, gt=0, description="Width of the window in which a burst is counted.")
    burst_least: int = Field(default=12, gt=1, description="Fewest searches of a burst.")
    unlike_faces: int = Field(default=6, gt=1, description="Fewest unlike faces of one person and case.")
    vain_faces: int = Field(
        default=4, gt=1, description="Fewest unlike faces of one person and case, sought in vain, that want a person."
    )
    face_cases: int = Field(default=3, gt=1, description="Fewest cases under which one person sought one face.")
    face_people: int = Field(default=4, gt=1, description="Fewest people who sought one face, each for themselves.")
    face_days: int = Field(
        default=60,
        gt=0,
        description="Days within which people sought one face, each for themselves, that want a person.",
    )
    probe_least: int = Field(default=3, gt=0, description="Fewest screenshots or selfies of one person.")
    alike_words: float = Field(default=0.8, gt=0, le=1, description="Least likeness of near-duplicate justifications.")
    words_least: int = Field(default=3, gt=1, description="Fewest cases with nearly one justification.")
    false_flags: float = Field(
        default=1.0, gt=0, description="How many honest people a rule that compares shares may name by chance alone."
    )
    small: int = Field(default=8, gt=0, description="Fewest searches of which a share of no results is told.")
    due_days: int = Field(default=14, gt=0, description="Days in which a result is adjudicated, or an export acted on.")
    left_least: int = Field(default=4, gt=0, description="Fewest opened results that were never adjudicated.")
    inspections_random: int = Field(default=10, ge=0, le=500, description="Searches drawn for inspection at random.")
    inspections_by_risk: int = Field(
        default=5, ge=0, le=500, description="Searches drawn for inspection by the signs of misuse on them."
    )
    inspection_days: int = Field(default=14, gt=0, description="Days until a drawn search must have been looked at.")
    draw_every_days: int = Field(
        default=0,
        ge=0,
        le=366,
        description="Days after which the running server draws searches for inspection by itself; 0 for never.",
    )
    published_purposes: tuple[str, ...] = Field(
        default=(), description="Purposes that a transparency report names; others are counted together."
    )
    same_face_strangers: float = Field(
        default=0.01, gt=0, description="Most expected strangers among all probes for two to be of one face."
    )
    other_face_share: float = Field(
        default=0.005, gt=0, lt=1, description="Least share of strangers as alike, for two probes to be of two faces."
    )


class WitnessSettings(_Part):
    """A witness of another organisation."""

    url: str = Field(description="Where it listens, without `/add-checkpoint`.", pattern=r"^https?://[^\s?#]+$")
    vkey: str = Field(description="Its public key, from `countenance witness key`.", max_length=400)


class LedgerSettings(_Part):
    """Who else speaks for the ledger."""

    witnesses: tuple[WitnessSettings, ...] = Field(
        default=(), description="Witnesses that are asked to co-sign: `url` and `vkey` of each."
    )
    tsa_url: str | None = Field(
        default=None, description="Address of a time-stamping service (RFC 3161).", pattern=r"^https?://\S+$"
    )
    tsa_certificates: Path | None = Field(
        default=None, description="File of the certificates (PEM) that a time-stamp must lead to."
    )


class MailSettings(_Part):
    """A mail server, by which overseers get the ledger's checkpoint every day. Without `host` and `to` none is sent."""

    host: str | None = Field(default=None, description="The mail server's name or address.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="TLS from the first byte, after STARTTLS, or none."
    )
    ca_file: Path | None = Field(default=None, description="File of certificates (PEM) that its own must lead to.")
    user: str | None = Field(default=None, description="Name to sign in there with, if it asks.")
    password: SecretStr | None = Field(
        default=None, description="The password; better in the environment than in a file that others read."
    )
    password_file: Path | None = Field(default=None, description="A file that holds the password.")
    sender: str | None = Field(default=None, description="Address that mails come from.")
    to: tuple[str, ...] = Field(default=(), description="Addresses of overseers.")
    hour: int = Field(default=6, ge=0, le=23, description="Hour of the day (UTC) from which the day's mail goes out.")
    seconds: float = Field(default=20.0, gt=0, description="Longest wait for the server, in seconds.")

    @model_validator(mode="after")
    def _complete(self) -> MailSettings:
        if self.host is not None and not self.sender:
            raise ValueError("a mail server needs `mail.sender` too")
        return self


class ServeSettings(_Part):
    """The server for pages and programs."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; beyond loopback only with sign-in and TLS."
    )
    port: int = Field(default=8765, ge=0, le=65535, description="Port; 0 takes a free one.")
    session_minutes: int = Field(default=480, gt=0, description="Longest life of a browser session.")
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM) for TLS.")
    tls_key: Path | None = Field(default=None, description="Its private key (PEM).")
    behind_proxy: str | None = Field(
        default=None, description="Address of the reverse proxy that speaks TLS for this server; no other is believed."
    )
    public_host: str | None = Field(default=None, description="Name under which people reach the server.")


class PeopleSettings(_Part):
    """What people sign in with."""

    breached_passwords: Path | None = Field(
        default=None, description="File of SHA-1 digests of leaked passwords, in order, as Have I Been Pwned gives it."
    )


class OidcSettings(_Part):
    """An identity provider through which people may sign in as well (needs the extra `oidc`)."""

    issuer: str | None = Field(default=None, description="Address of the provider, as it names itself.")
    client_id: str = Field(default="countenance", description="How the provider knows this server.")
    client_secret: SecretStr | None = Field(default=None, description="The secret it was given there, if any.")
    title: str = Field(default="your organisation", description="How the page names the provider.")


_FORMER = "COUNTENANCE_SOURCES__RETAIN_DAYS"
"""Of a part of the settings that is no more, so that nobody else reads it."""

_MOVED = {
    ("sources", "retain_days"): "source_days",
    ("search", "probe_days"): "probe_days",
    ("proxylog", "retain_days"): "analysis_days",
}


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        env_prefix="COUNTENANCE_", env_nested_delimiter="__", extra="ignore", frozen=True, toml_file=None
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("countenance")),
        description="Folder of rows, vectors, crops and the ledger.",
    )
    key_dir: Path | None = Field(
        default=None, description="Folder of the keys; by default the user's configuration folder."
    )
    offline: bool = Field(default=False, description="Never fetch model weights.")
    demo: bool = Field(default=False, description="Mark every page and receipt as a demonstration.")
    database: DatabaseSettings = DatabaseSettings()
    images: ImageSettings = ImageSettings()
    faces: FaceSettings = FaceSettings()
    ingest: IngestSettings = IngestSettings()
    search: SearchSettings = SearchSettings()
    crawl: CrawlSettings = CrawlSettings()
    retention: RetentionSettings = RetentionSettings()
    proxylog: ProxyLogSettings = ProxyLogSettings()
    authority: AuthoritySettings = AuthoritySettings()
    oversee: OverseeSettings = OverseeSettings()
    ledger: LedgerSettings = LedgerSettings()
    mail: MailSettings = MailSettings()
    serve: ServeSettings = ServeSettings()
    people: PeopleSettings = PeopleSettings()
    oidc: OidcSettings = OidcSettings()

    @model_validator(mode="before")
    @classmethod
    def _moved(cls, given: Any) -> Any:
        """Settings of retention once stood in other parts; where a file or an environment says them there, it holds."""
        found = dict(given)
        if (days := os.environ.get(_FORMER)) is not None:
            found.setdefault("sources", {"retain_days": days})
        for (part, name), now in _MOVED.items():
            said = found.get(part)
            if isinstance(said, dict) and name in said:
                kept = dict(found.get("retention") or {})
                if kept.setdefault(now, said[name]) != said[name]:
                    raise ValueError(f"{part}.{name} is now retention.{now}, and both are said")
                found[part] = {other: value for other, value in said.items() if other != name}
                found["retention"] = kept
        return found

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then the environment, then the home's file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(home: Path | None = None, **options: Any) -> Settings:
    """The settings of a home. `options` are a command's own; those that are None are left out.

    Raises Broken for a value or a file that cannot be used.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if home is not None:
        given["home"] = home
    try:
        first = Settings(**given)
        file = first.home / "countenance.toml"
        return _with_file(file)(**given) if file.is_file() else first
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        raise Broken(f"the setting {where} cannot be used: {wrong['msg']}", advice=_MEND) from None
    except tomllib.TOMLDecodeError as error:
        raise Broken(f"countenance.toml is not TOML: {error}", advice=_MEND) from None


def _with_file(file: Path) -> type[Settings]:
    class WithFile(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    return WithFile


_MEND = "mend countenance.toml in the home, or the environment; docs/reference/settings.md lists every setting"
