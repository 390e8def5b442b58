"use strict";
// The token leaves the address before anything else can see it there: history, bookmarks, a shared screen.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname);
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.namedItem("password");
  const body = password ? { token, new_password: password.value } : { token };
  try {
    const answer = await fetch(form.dataset.call, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.hidden = true;
      status.textContent = form.dataset.done;
    } else {
      status.textContent = (await answer.json()).detail;
    }
  } catch {
    status.textContent = "No answer; try again.";
  }
});

if (!token) {
  form.hidden = true;
  status.textContent = "Open this page by the link in your mail.";
}
