"""A keyring with one signals key."""

from adapters.jwk import Signer, generate, public_jwk, thumbprint
from domain.signing_key import Algorithm

ISSUER = "https://id.example.org"


class OneKey:
    def __init__(self) -> None:
        self.turn()

    def turn(self) -> None:
        """Put another in its place."""
        private = generate(Algorithm.ES256)
        self.public = private.public_key()
        self.key = Signer(thumbprint(public_jwk(self.public)), Algorithm.ES256, private)

    async def signer(self, algorithm: Algorithm | None = None) -> Signer:
        assert algorithm is Algorithm.ES256
        return self.key
