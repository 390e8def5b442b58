import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { auth, callback, port } from "./auth.mjs";

// Clients are made by an administrator's call that has no path of its own over HTTP; the run asks for two once, before it measures.
async function makeClients() {
  const password = process.env.SECRET;
  const made = await auth.api.signUpEmail({ body: { email: "admin@example.org", password, name: "Admin" }, returnHeaders: true });
  const headers = new Headers({ authorization: `Bearer ${made.headers.get("set-auth-token")}` });
  const create = (body) => auth.api.adminCreateOAuthClient({ headers, body: { token_endpoint_auth_method: "client_secret_basic", ...body } });
  const app = await create({
    client_name: "app", redirect_uris: [callback], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
    scope: "openid email offline_access", skip_consent: true, require_pkce: false,
  });
  const machine = await create({
    client_name: "machine", grant_types: ["client_credentials"], client_credentials_scopes: ["read"], scope: "read",
  });
  return { app, machine };
}

const handle = toNodeHandler(auth);

createServer(async (request, response) => {
  if (request.url !== "/bench/clients") return handle(request, response);
  try {
    response.end(JSON.stringify(await makeClients()));
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
}).listen(port, "127.0.0.1");
