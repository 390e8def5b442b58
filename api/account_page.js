"use strict";
// The token leaves the address before anything else can see it there: history, bookmarks, a shared screen.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname);
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
let asked = null;

const say = (text) => {
  status.textContent = text;
};

const close = (text) => {
  form.hidden = true;
  say(text);
};

const send = (address, body) =>
  fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// Whether the link still works, and which factor has to be shown with it.
const check = async () => {
  const answer = await send(form.dataset.check, { token });
  const said = await answer.json();
  if (!answer.ok) return close(said.detail);
  asked = said;
  const passkey = said.factors.find((choice) => choice.factor === "passkey");
  form.querySelector("[data-factor]").hidden = !said.factor_required;
  form.querySelector("[data-passkey]").hidden = !(passkey && window.PublicKeyCredential);
};

const shown = async () => {
  const code = form.elements.namedItem("code").value.trim();
  if (code) return { factor: /^[0-9 -]+$/.test(code) ? "totp" : "recovery_code", code };
  const passkey = asked.factors.find((choice) => choice.factor === "passkey");
  if (!passkey || !window.PublicKeyCredential) return {};
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(passkey.options);
  const credential = await navigator.credentials.get({ publicKey: options });
  return { factor: "passkey", challenge: asked.challenge, assertion: credential.toJSON() };
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.namedItem("password");
  const registration = form.elements.namedItem("registration");
  const typed = {
    ...(password && { [password.dataset.field ?? "new_password"]: password.value }),
    ...(registration && { registration: registration.value.trim() }),
  };
  try {
    const factor = asked && asked.factor_required ? await shown() : {};
    const answer = await send(form.dataset.call, { token, ...typed, ...factor });
    if (answer.ok) return close(form.dataset.done);
    say((await answer.json()).detail);
    if (factor.challenge) await check();
  } catch (error) {
    say(error.name === "NotAllowedError" ? "No passkey was shown." : "No answer; try again.");
  }
});

if (!token) close("Open this page by the link in your mail.");
else if (form.dataset.check) check().catch(() => say("No answer; try again."));
