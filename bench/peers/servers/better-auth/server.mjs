import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { auth, port } from "./auth.mjs";

createServer(toNodeHandler(auth)).listen(port, "127.0.0.1");
