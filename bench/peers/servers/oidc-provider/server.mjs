// oidc-provider with the store it comes with: the memory of this process, which forgets what is older than a thousand entries.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.env.PORT);
const secret = process.env.SECRET;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const now = () => Math.floor(Date.now() / 1000);
const personScope = "openid email offline_access";

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "bench" }] },
  cookies: { keys: [secret] },
  scopes: ["openid", "email", "offline_access", "read"],
  claims: { openid: ["sub"], email: ["email"] },
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 86400, IdToken: 3600, RefreshToken: 86400 },
  clients: [
    {
      client_id: "app", client_secret: secret, redirect_uris: ["https://app.example.org/callback"], response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token"], id_token_signed_response_alg: "ES256",
    },
    {
      client_id: "machine", client_secret: secret, redirect_uris: [], response_types: [], scope: "read",
      grant_types: ["client_credentials"], id_token_signed_response_alg: "ES256",
    },
  ],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: () => ({
        scope: "read", audience: "https://api.example.org", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

// It has no passwords to sign in with: the run asks here for what a sign-in would have ended with, once for each person.
async function signedIn(accountId) {
  const grant = new provider.Grant({ accountId, clientId: "app" });
  grant.addOIDCScope(personScope);
  const client = await provider.Client.find("app");
  const token = new provider.RefreshToken({
    accountId, client, grantId: await grant.save(), gty: "authorization_code", scope: personScope, claims: {}, authTime: now(), rotations: 0,
    iiat: now(),
  });
  return token.save();
}

provider.use(async (context, next) => {
  if (context.path !== "/bench/sign-in") return next();
  context.body = { refresh_token: await signedIn(context.query.person) };
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(port, "127.0.0.1");
