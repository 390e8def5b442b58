// better-auth as an OAuth 2.1 provider: codes, refresh tokens, client credentials, introspection. The database is what
// PGHOST, PGUSER, PGPASSWORD and PGDATABASE name. Of the newest core that the plugin can be installed with.
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import pg from "pg";

export const port = Number(process.env.PORT);
export const resource = "https://api.example.org";
export const callback = "https://app.example.org/callback";

const scopes = ["openid", "email", "offline_access", "read"];

const provider = oauthProvider({
  loginPage: "/login",
  consentPage: "/consent",
  scopes,
  grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
  resources: [{ identifier: resource, allowedScopes: scopes }],
  enforcePerClientResources: false,
  clientPrivileges: () => true,
  silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
});

export const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: process.env.SECRET,
  database: new pg.Pool({ max: 20 }),
  emailAndPassword: { enabled: true },
  plugins: [bearer(), jwt(), provider],
  disabledPaths: ["/token"],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
});
