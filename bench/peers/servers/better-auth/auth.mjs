// better-auth with addresses and passwords. The database is what PGHOST, PGUSER, PGPASSWORD and PGDATABASE name.
// Left as it comes but for: no limits on requests, no telemetry, a pool of 20 connections as every server here has.
import { betterAuth } from "better-auth";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import pg from "pg";

export const port = Number(process.env.PORT);

export const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: process.env.SECRET,
  database: new pg.Pool({ max: 20 }),
  emailAndPassword: { enabled: true },
  plugins: [bearer(), jwt()],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
});
