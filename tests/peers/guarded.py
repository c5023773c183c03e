"""A server over HTTP that wants its clients to log in, with the authorization
server in the same process: the official SDK's, in front of a provider that keeps
everything in memory and takes every person's consent for given.

usage: guarded.py LIFETIME NOTES

LIFETIME is how many seconds an access token lasts. While the file NOTES says
`refuse`, no token is good any more, and none is renewed.
"""

import logging
import secrets
import socket
import sys
import time
import warnings

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    ProviderTokenVerifier,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.shared.auth import OAuthToken

from fixture import offers


class Provider:
    def __init__(self, lifetime, notes):
        self.lifetime, self.notes = lifetime, notes
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}

    def refuses(self):
        try:
            return "refuse" in open(self.notes).read()
        except FileNotFoundError:
            return False

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        self.clients[client.client_id] = client

    async def authorize(self, client, params):
        code = secrets.token_urlsafe(32)
        self.codes[code] = AuthorizationCode(
            code=code,
            client_id=client.client_id,
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, _client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, _client, code):
        del self.codes[code.code]
        return self.issue(code)

    async def load_refresh_token(self, _client, token):
        return self.refresh.get(token)

    async def exchange_refresh_token(self, _client, token, _scopes):
        if self.refuses():
            raise TokenError("invalid_grant", "the log-in was ended")
        del self.refresh[token.token]
        print("renewed", file=sys.stderr, flush=True)
        return self.issue(token)

    async def load_access_token(self, token):
        return None if self.refuses() else self.access.get(token)

    async def revoke_token(self, token):
        self.access.pop(token.token, None)

    def issue(self, grant):
        about = {"client_id": grant.client_id, "scopes": grant.scopes, "resource": grant.resource}
        access = AccessToken(
            token="access-" + secrets.token_hex(16),
            expires_at=int(time.time() + self.lifetime),
            **about,
        )
        refresh = RefreshToken(token="refresh-" + secrets.token_hex(16), **about)
        self.access[access.token], self.refresh[refresh.token] = access, refresh
        return OAuthToken(
            access_token=access.token,
            expires_in=self.lifetime,
            scope=" ".join(grant.scopes),
            refresh_token=refresh.token,
        )


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    provider = Provider(int(sys.argv[1]), sys.argv[2])
    app = offers.server().streamable_http_app(
        auth=AuthSettings(
            issuer_url=origin,
            resource_server_url=f"{origin}/mcp",
            required_scopes=["tools"],
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=["tools"], default_scopes=["tools"]
            ),
            validate_token_resource=True,
        ),
        auth_server_provider=provider,
        token_verifier=ProviderTokenVerifier(provider),
    )
    print(f"listening on {origin}/mcp", file=sys.stderr, flush=True)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


main()
