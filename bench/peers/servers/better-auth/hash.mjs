// Prints what checking one password takes of a processor, without a server around it.
import { hashPassword, verifyPassword } from "better-auth/crypto";

const password = process.argv[2];
const times = Number(process.argv[3]);
const hash = await hashPassword(password);
await verifyPassword({ hash, password });
const before = process.cpuUsage();
for (let n = 0; n < times; n++) {
  if (!(await verifyPassword({ hash, password }))) throw new Error("the right password was refused");
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ kind: "scrypt N=16384 r=16 p=1", verify_ms: (user + system) / 1000 / times }));
