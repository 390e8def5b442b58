"""What verifiers and clients discover: the key set and the metadata, with no word that is not true today."""

from litestar import Controller, Response, get
from msgspec import Struct

from adapters.keyring import Keyring
from api.asking import Asking
from api.client_authentication import METHODS
from api.etags import NOT_CHANGED, IfNoneMatch, is_known
from domain.ids import Kid
from domain.signing_key import Algorithm, Curve, KeyType

KEYS_MAX_AGE = 60
"""Seconds a verifier may keep the key set; the next key is in it long before it signs anything."""
METADATA_MAX_AGE = 3_600


class Jwk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One public key (RFC 7517); which members there are depends on `kty`."""

    kid: Kid
    kty: KeyType
    alg: Algorithm
    use: str
    crv: Curve | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class JwkSet(Struct, frozen=True, kw_only=True):
    keys: list[Jwk]


class Metadata(Struct, frozen=True, kw_only=True):
    """The part of RFC 8414 that is true of this release: programs get tokens; people sign in at `/api/v1/auth` and not by OAuth yet."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint: str
    introspection_endpoint_auth_methods_supported: list[str]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]


class WellKnown(Controller):
    path = "/.well-known"
    tags = ("discovery",)

    @get(
        "/jwks.json",
        operation_id="readKeySet",
        summary="The public keys of access tokens",
        description="A key is here before it signs its first token, and until the last one it signed has expired.",
        responses=NOT_CHANGED,
        opt={"answers": JwkSet},
    )
    async def key_set(self, request: Asking, known: IfNoneMatch = None) -> Response[bytes]:
        return await _key_set(request.world.keyring, known)

    @get(
        "/signals-jwks.json",
        operation_id="readSignalsKeySet",
        summary="The public keys of signals",
        description="For whoever checks what a broker delivers. None of them signs a token that lets anybody in.",
        responses=NOT_CHANGED,
        opt={"answers": JwkSet},
    )
    async def signals_key_set(self, request: Asking, known: IfNoneMatch = None) -> Response[bytes]:
        return await _key_set(request.world.signals_keyring, known)

    @get(
        "/internal-jwks.json",
        operation_id="readInternalKeySet",
        summary="The public keys of what a gateway hands on",
        description="For the services behind a gateway that asks `auth/check`. None of them signs an access token.",
        responses=NOT_CHANGED,
        opt={"answers": JwkSet},
    )
    async def internal_key_set(self, request: Asking, known: IfNoneMatch = None) -> Response[bytes]:
        return await _key_set(request.world.internal_keyring, known)

    @get("/openid-configuration", operation_id="readOpenIdConfiguration", summary="Metadata at the OpenID address")
    async def openid(self, request: Asking) -> Response[Metadata]:
        return _metadata(request)

    @get("/oauth-authorization-server", operation_id="readAuthorizationServer", summary="Metadata at the OAuth address (RFC 8414)")
    async def oauth(self, request: Asking) -> Response[Metadata]:
        return _metadata(request)


async def _key_set(keyring: Keyring, known: str | None) -> Response[bytes]:
    keys = await keyring.key_set()
    headers = {"ETag": keys.etag, "Cache-Control": f"public, max-age={KEYS_MAX_AGE}"}
    if is_known(keys.etag, known):
        return Response(b"", status_code=304, headers=headers, media_type="application/json")
    return Response(keys.body, headers=headers, media_type="application/json")


def _metadata(request: Asking) -> Response[Metadata]:
    settings = request.world.settings
    issuer = settings.issuer.rstrip("/")
    return Response(
        Metadata(
            issuer=settings.issuer,
            jwks_uri=f"{issuer}/.well-known/jwks.json",
            token_endpoint=f"{issuer}/oauth2/token",
            token_endpoint_auth_methods_supported=list(METHODS),
            token_endpoint_auth_signing_alg_values_supported=[str(algorithm) for algorithm in Algorithm],
            introspection_endpoint=f"{issuer}/oauth2/introspect",
            introspection_endpoint_auth_methods_supported=list(METHODS),
            revocation_endpoint=f"{issuer}/oauth2/revoke",
            revocation_endpoint_auth_methods_supported=list(METHODS),
            response_types_supported=[],
            grant_types_supported=["client_credentials"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=[settings.signing_algorithm],
        ),
        headers={"Cache-Control": f"public, max-age={METADATA_MAX_AGE}"},
    )
